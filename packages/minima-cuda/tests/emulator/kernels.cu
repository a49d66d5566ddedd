// Kernels with one fault each, in front of it what would be right: test_emulator.py.

#define AT int t = threadIdx.x

// ---- barriers ------------------------------------------------------------------------------------
KERNEL barrier_right(const float* x, float* y, int n) {
  AT;
  __shared__ float s[64];
  s[t] = t < n ? x[t] : 0;
  __syncthreads();
  if (t < n) y[t] = s[63 - t];
}
KERNEL barrier_in_branch(const float* x, float* y, int n) {
  AT;
  __shared__ float s[64];
  if (t < n) {
    s[t] = x[t];
    __syncthreads();
    y[t] = s[t];
  }
}
KERNEL barrier_two_places(const float* x, float* y, int n) {
  AT;
  if (t < n) {
    __syncthreads();
    y[t] = x[t];
  } else {
    __syncthreads();
  }
}
KERNEL barrier_dropped(const float* x, float* y, int n) {
  AT;
  __shared__ float s[64];
  s[t] = t < n ? x[t] : 0;
  if (t < n) y[t] = s[63 - t];
}
KERNEL barrier_once(const float* x, float* y, int n) {  // and written again before all have read
  AT;
  __shared__ float s[64];
  float sum = 0;
  for (int i = 0; i < 2; i++) {
    s[t] = t < n ? x[t] : 0;
    __syncthreads();
    sum += s[63 - t];
  }
  if (t < n) y[t] = sum;
}
KERNEL count_right(const float* x, float* y, int n) {
  AT;
  int positive = __syncthreads_count(t < n && x[t] > 0);
  if (t < n) y[t] = positive;
}

// ---- warps ---------------------------------------------------------------------------------------
KERNEL shuffle_right(const float* x, float* y, int n) {
  AT;
  float v = t < n ? x[t] : 0;
  for (int d = 16; d; d /= 2) v += __shfl_down_sync(ALL_LANES, v, d);
  v = __shfl_sync(ALL_LANES, v, 0);
  if (t < n) y[t] = v;
}
KERNEL shuffle_in_branch(const float* x, float* y, int n) {
  AT;
  if (t < n) {
    y[t] = __shfl_xor_sync(ALL_LANES, x[t], 1);
  } else {
    __syncthreads();
  }
}
KERNEL shuffle_outside_mask(const float* x, float* y, int n) {
  AT;
  if (t < 16) y[t] = __shfl_xor_sync(0xffffu, x[t], 16);
}
KERNEL shuffle_from_returned(const float* x, float* y, int n) {
  AT;
  if (t >= n) return;
  y[t] = __shfl_down_sync(ALL_LANES, x[t], 1);
}
KERNEL shuffle_not_in_own_mask(const float* x, float* y, int n) {
  AT;
  if (t < n) y[t] = __shfl_xor_sync(0xffu, x[t], 1);
}
KERNEL vote_right(const float* x, float* y, int n) {
  AT;
  unsigned positive = __ballot_sync(ALL_LANES, t < n && x[t] > 0);
  bool any = __any_sync(ALL_LANES, t < n), all = __all_sync(ALL_LANES, t < n);
  if (t < n) y[t] = __popc(positive) + 100 * any + 1000 * all;
}
KERNEL warp_right(const float* x, float* y, int n) {  // one warp needs no block barrier
  AT;
  __shared__ float s[32];
  s[t] = t < n ? x[t] : 0;
  __syncwarp();
  float v = s[31 - t];
  __syncwarp();
  s[t] = v;
  __syncwarp(t < 16 ? 0xffffu : 0xffff0000u);
  if (t < n) y[t] = s[t ^ 1];
}
KERNEL warp_halves(const float* x, float* y, int n) {  // the halves do not wait for each other
  AT;
  __shared__ float s[32];
  s[t] = t < n ? x[t] : 0;
  __syncwarp(t < 16 ? 0xffffu : 0xffff0000u);
  if (t < n) y[t] = s[31 - t];
}
KERNEL warp_by_shuffle(const float* x, float* y, int n) {  // a shuffle orders no memory
  AT;
  __shared__ float s[32];
  s[t] = t < n ? x[t] : 0;
  float v = __shfl_xor_sync(ALL_LANES, s[t], 1);
  if (t < n) y[t] = s[31 - t] + v;
}

// ---- memory --------------------------------------------------------------------------------------
KERNEL add_right(const float* x, float* y, int n) {
  Index i = first_element();
  if (i < n) y[i] = x[i] + 1;
}
KERNEL read_past_end(const float* x, float* y, int n) {
  Index i = first_element();
  if (i < n) y[i] = x[i + 1];
}
KERNEL write_past_end(const float* x, float* y, int n) {
  Index i = first_element();
  if (i <= n) y[i] = 1;
}
KERNEL write_before_start(const float* x, float* y, int n) {
  Index i = first_element();
  if (i < n) y[i - 1] = x[i];
}
KERNEL shared_past_end(const float* x, float* y, int n) {
  AT;
  __shared__ float s[32], other[32];
  if (t < 32) other[t] = 0;
  s[t] = 1;
  __syncthreads();
  y[t] = s[t % 32] + other[t % 32];
}
KERNEL dynamic_right(const float* x, float* y, int n) {
  AT;
  DYNAMIC_SHARED(float, s);
  s[t] = x[t];
  __syncthreads();
  y[t] = s[n - 1 - t];
}
KERNEL shared_unwritten(const float* x, float* y, int n) {
  AT;
  __shared__ float s[64];
  if (t < n - 1) s[t] = x[t];
  __syncthreads();
  if (t < n) y[t] = s[t];
}
KERNEL vector_unaligned(const float* x, float* y, int n) {
  if (threadIdx.x == 0) *reinterpret_cast<float4*>(y) = *reinterpret_cast<const float4*>(x + 1);
}
__constant__ float WEIGHTS[] = {1, 2, 3, 4};
KERNEL constant_right(const float* x, float* y, int n) {
  AT;
  float local[4];
  for (int i = 0; i < 4; i++) local[i] = WEIGHTS[(i + t) % 4];
  if (t < n) y[t] = local[n % 4];
}
KERNEL blocks_share(const float* x, float* y, int n) {
  if (threadIdx.x == 0) y[0] += x[blockIdx.x];
}
KERNEL blocks_share_atomically(const float* x, float* y, int n) {
  if (threadIdx.x == 0) atomicAdd(y, x[blockIdx.x]);
}
KERNEL blocks_mix(const float* x, float* y, int n) {
  if (threadIdx.x) return;
  if (blockIdx.x) atomicAdd(y, x[0]);
  else y[0] = x[0];
}
KERNEL block_reads_written(const float* x, float* y, int n) {
  if (threadIdx.x == 0) y[blockIdx.x] = blockIdx.x + 1 < gridDim.x ? y[blockIdx.x + 1] : 0;
}
KERNEL neighbours_right(const signed char* x, signed char* y, int n) {  // bytes of one word
  Index i = first_element();
  if (i < n) y[i] = x[i];
}
KERNEL bytes_right(const signed char* x, signed char* y, int n) {  // and in shared memory
  AT;
  __shared__ signed char s[64];
  s[t] = t < n ? x[t] : 0;
  __syncthreads();
  int word = reinterpret_cast<int*>(s)[t / 4];
  if (t < n) y[t] = word >> t % 4 * 8;
}
KERNEL bytes_dropped(const signed char* x, signed char* y, int n) {
  AT;
  __shared__ signed char s[64];
  if (t < 16) reinterpret_cast<int*>(s)[t] = 0;
  __syncthreads();
  s[t] = t < n ? x[t] : 0;
  if (t < n) y[t] = s[t ^ 1];
}
KERNEL traps(const float* x, float* y, int n) {
  if (x[0] == 0) __trap();
}
KERNEL overflow(const int* x, int* y, int n) { y[0] = x[0] + 1; }

// ---- launches ------------------------------------------------------------------------------------
KERNEL __launch_bounds__(128) bounded(const float* x, float* y, int n) {}
KERNEL too_much_shared(const float* x, float* y, int n) {
  __shared__ double s[6145];
  s[threadIdx.x] = x[0];
  y[0] = s[n];
}
KERNEL table(Table from, float* y, Index n) {
  for (int i = 0; i < 3; i++) y[i] = from.at[i][0];
}

// ---- schedules -----------------------------------------------------------------------------------
KERNEL first_come(unsigned* order, unsigned* next) {
  order[atomicAdd(next, 1u)] = blockIdx.x * blockDim.x + threadIdx.x;
}
