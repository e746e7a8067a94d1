#define THROUGHTIME_TABLE kernels_avx512
#define THROUGHTIME_TABLE_NAME "avx512"
#include "kernels.inl"
