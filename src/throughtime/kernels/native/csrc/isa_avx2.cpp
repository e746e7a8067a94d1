#define THROUGHTIME_TABLE kernels_avx2
#define THROUGHTIME_TABLE_NAME "avx2"
#include "kernels.inl"
