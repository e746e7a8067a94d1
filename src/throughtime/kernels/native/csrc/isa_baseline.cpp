#define THROUGHTIME_TABLE kernels_baseline
#define THROUGHTIME_TABLE_NAME "baseline"
#include "kernels.inl"
