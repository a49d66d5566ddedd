// Attention without its weights in memory: scores exist for one tile of queries and keys at a time,
// and softmax is carried from tile to tile ("flash attention").
//
// A block owns OWN rows of one matrix (queries, or keys and values when their gradients are wanted),
// holds them in shared memory, and goes through the other matrix OTHER rows at a time, of which
// CHUNK columns are in shared memory at once. Threads (16, 16): thread (x, y) has rows y + 16 i of
// its own, and of the others the columns x + 16 j of scores, or RUN columns x * RUN of a product.
// Backward takes the scores anew from the sums of `attention_sums`, and no two blocks add to the
// same gradient.
//
// Defined in front: SIDE, own rows / 16; PARTS, chunks that the widest rows take; MASK: 0 none,
// 1 bools, 2 numbers to add.
// Source: Dao et al. 2022; Milakov & Gimelshein 2018.
#include "access.cuh"

constexpr int RUN = 16 / sizeof(A), CHUNK = 16 * RUN, OWN = 16 * SIDE, OTHER = 32, COLUMNS = 2;
constexpr int CHUNK_STEP = CHUNK + RUN, WEIGHT_STEP = OTHER + RUN;
constexpr int THREADS = 256;

#if MASK == 1
typedef bool Seen;
#else
typedef T Seen;
#endif

struct Sizes {
  Index batch, queries, keys;
  Index inner, outer_step, inner_step, row_step, column_step;  // of the mask
  double scale;
  Int32 size, width;  // of a query and a key; of a value
  Int32 causal, padding;
};

// What is read or written at once in shared memory.
struct alignas(16) Run {
  A at[RUN];
};
DEVICE Run& run_at(A* at) { return *reinterpret_cast<Run*>(at); }

DEVICE int padded(int size) { return (size + RUN - 1) / RUN * RUN; }
DEVICE int own_step(int size) { return padded(size) + RUN; }

DEVICE Index smaller(Index a, Index b) { return a < b ? a : b; }

// ---- tiles ---------------------------------------------------------------------------------------
// Copy HEIGHT rows, from `first` on, of x (rows, size), `CHUNK` columns from `column` on; 0 beyond.
template <int HEIGHT>
DEVICE void fetch(
    A* to, int step, const T* x, Index first, Index rows, int column, int size, A scale) {
  for (int i = block_rank(); i < HEIGHT * CHUNK; i += THREADS) {
    const int r = i / CHUNK, c = i % CHUNK;
    if (column + c >= padded(size)) continue;
    const bool inside = first + r < rows && column + c < size;
    to[r * step + c] = inside ? load(x[(first + r) * size + column + c]) * scale : A(0);
  }
}

// Copy own rows whole.
DEVICE void fetch_own(A* to, const T* x, Index first, Index rows, int size, A scale) {
  for (int c = 0; c < size; c += CHUNK) {
    fetch<OWN>(to + c, own_step(size), x, first, rows, c, size, scale);
  }
}

// Add the products of own rows and of OTHER rows of x, from `first` on.
DEVICE void dots(
    A (&sums)[SIDE][COLUMNS], A* own, A* chunk, const T* x, Index first, Index rows, int size) {
  const int step = own_step(size);
  for (int c = 0; c < size; c += CHUNK) {
    __syncthreads();  // the chunk before has been read
    fetch<OTHER>(chunk, CHUNK_STEP, x, first, rows, c, size, A(1));
    __syncthreads();
    const int end = size - c < CHUNK ? padded(size - c) : CHUNK;
#pragma unroll 1  // enough is unrolled within; more takes registers
    for (int e = 0; e < end; e += RUN) {
      Run a[SIDE], b[COLUMNS];
#pragma unroll
      for (int i = 0; i < SIDE; ++i) a[i] = run_at(own + (threadIdx.y + 16 * i) * step + c + e);
#pragma unroll
      for (int j = 0; j < COLUMNS; ++j) {
        b[j] = run_at(chunk + (threadIdx.x + 16 * j) * CHUNK_STEP + e);
      }
#pragma unroll
      for (int r = 0; r < RUN; ++r) {
#pragma unroll
        for (int i = 0; i < SIDE; ++i) {
#pragma unroll
          for (int j = 0; j < COLUMNS; ++j) sums[i][j] += a[i].at[r] * b[j].at[r];
        }
      }
    }
  }
}

// Rows of a product that a thread holds.
struct Held {
  A at[SIDE][PARTS][RUN];

  DEVICE void clear() {
    for (int i = 0; i < SIDE; ++i) scale(i, A(0));
  }
  DEVICE void scale(int i, A factor) {
#pragma unroll
    for (int part = 0; part < PARTS; ++part) {
#pragma unroll
      for (int r = 0; r < RUN; ++r) at[i][part][r] = factor == A(0) ? A(0) : at[i][part][r] * factor;
    }
  }

  // Add weights (OWN, OTHER) times OTHER rows of x, from `first` on.
  DEVICE void add(A* weights, A* chunk, const T* x, Index first, Index rows, int size) {
#pragma unroll
    for (int part = 0; part < PARTS; ++part) {
      if (part * CHUNK >= size) break;
      __syncthreads();  // the weights are there, the chunk before has been read
      fetch<OTHER>(chunk, CHUNK_STEP, x, first, rows, part * CHUNK, size, A(1));
      __syncthreads();
      if (part * CHUNK + int(threadIdx.x) * RUN >= size) continue;
#pragma unroll 1
      for (int k = 0; k < OTHER; k += RUN) {
        Run w[SIDE];
#pragma unroll
        for (int i = 0; i < SIDE; ++i) {
          w[i] = run_at(weights + (threadIdx.y + 16 * i) * WEIGHT_STEP + k);
        }
#pragma unroll
        for (int r = 0; r < RUN; ++r) {
          const Run b = run_at(chunk + (k + r) * CHUNK_STEP + threadIdx.x * RUN);
#pragma unroll
          for (int i = 0; i < SIDE; ++i) {
#pragma unroll
            for (int c = 0; c < RUN; ++c) at[i][part][c] += w[i].at[r] * b.at[c];
          }
        }
      }
    }
  }

  // Call use(value, place) for what own row i has in an array (rows, size).
  template <class Use>
  DEVICE void each(int i, Index row, int size, Use use) const {
#pragma unroll
    for (int part = 0; part < PARTS; ++part) {
#pragma unroll
      for (int r = 0; r < RUN; ++r) {
        const int column = part * CHUNK + threadIdx.x * RUN + r;
        if (column < size) use(at[i][part][r], row * size + column);
      }
    }
  }
  DEVICE void write(T* y, Index first, Index rows, int size, A factor) const {
#pragma unroll
    for (int i = 0; i < SIDE; ++i) {
      const Index row = first + threadIdx.y + 16 * i;
      if (row < rows) each(i, row, size, [=](A v, Index at) { y[at] = store<T>(v * factor); });
    }
  }
};

// Combine what the 16 threads of a row have.
template <class Combine>
DEVICE A across(A value, Combine combine) {
#pragma unroll
  for (int distance = 8; distance; distance /= 2) {
    value = combine(value, __shfl_xor_sync(ALL_LANES, value, distance));
  }
  return value;
}

// The part of a mask that belongs to matrix `item` of the batch.
DEVICE Index mask_base(const Sizes& sizes, Index item) {
  const Index outer = quotient(item, sizes.inner);
  return outer * sizes.outer_step + (item - outer * sizes.inner) * sizes.inner_step;
}

// The score of a query and a key, whose product is `dot`; -infinity where it takes no part.
DEVICE A score(A dot, Index query, Index key, const Seen* mask, const Sizes& sizes) {
  if (query >= sizes.queries || key >= sizes.keys) return -infinity();
  if (sizes.causal && key > query) return -infinity();
  const Index at = query * sizes.row_step + key * sizes.column_step;
#if MASK == 1
  if (!mask[at]) return -infinity();
#elif MASK == 2
  dot += load(mask[at]);
#endif
  return dot;
}

DEVICE Index keys_seen(Index first, const Sizes& sizes) {  // by the OWN queries from `first` on
  return sizes.causal ? smaller(first + OWN, sizes.keys) : sizes.keys;
}

// Call work(item, first) for the blocks of OWN rows of each matrix of the batch, where backward the
// last of them first: with a causal mask they see the most keys.
template <class Work>
DEVICE void each_tile(const Sizes& sizes, Index rows, bool backward, Work work) {
  const Index tiles = (rows + OWN - 1) / OWN;
  for (Index i = blockIdx.x; i < tiles * sizes.batch; i += gridDim.x) {
    const Index item = quotient(i, tiles), tile = i - item * tiles;
    // own rows are not read after the last barrier of `Held::add`
    work(item, (backward ? tiles - 1 - tile : tile) * OWN);
  }
}

// ---- forward -------------------------------------------------------------------------------------
// Softmax of own rows, and its product with the values.
struct Softened {
  A top[SIDE], total[SIDE];
  Held found;

  // Go through all keys that the own queries see.
  DEVICE void take(const T* q, const T* k, const T* v, const Seen* mask, Index first,
      const Sizes& sizes, A* shared) {
    A* own = shared;
    A* chunk = own + OWN * own_step(sizes.size);
    A* weights = chunk + OTHER * CHUNK_STEP;
    fetch_own(own, q, first, sizes.queries, sizes.size, A(sizes.scale));
    found.clear();
    for (int i = 0; i < SIDE; ++i) top[i] = -infinity(), total[i] = A(0);
    const Index stop = keys_seen(first, sizes);
    for (Index key = 0; key < stop; key += OTHER) {
      A s[SIDE][COLUMNS] = {};
      dots(s, own, chunk, k, key, sizes.keys, sizes.size);
      for (int i = 0; i < SIDE; ++i) weigh(i, s[i], first, key, mask, sizes, weights);
      found.add(weights, chunk, v, key, sizes.keys, sizes.width);
    }
    for (int i = 0; i < SIDE; ++i) total[i] = across(total[i], Sum());
  }

  // Turn the scores of own row i into weights, and what came before to the new largest score.
  DEVICE void weigh(int i, const A* dots, Index first, Index key, const Seen* mask,
      const Sizes& sizes, A* weights) {
    const int place = threadIdx.y + 16 * i;
    A s[COLUMNS], high = -infinity();
    for (int j = 0; j < COLUMNS; ++j) {
      s[j] = score(dots[j], first + place, key + threadIdx.x + 16 * j, mask, sizes);
      high = Max()(high, s[j]);
    }
    high = Max()(top[i], across(high, Max()));
    const A base = high == -infinity() ? A(0) : high;
    const A shrink = exp(top[i] - base);
    top[i] = high;
    total[i] *= shrink;
    for (int j = 0; j < COLUMNS; ++j) {
      const A weight = exp(s[j] - base);
      total[i] += weight;
      weights[place * WEIGHT_STEP + threadIdx.x + 16 * j] = weight;
    }
    found.scale(i, shrink);
  }
};

KERNEL attention(const T* q, const T* k, const T* v, const Seen* mask, T* y, Sizes sizes) {
  DYNAMIC_SHARED(A, shared);
  each_tile(sizes, sizes.queries, sizes.causal, [&](Index item, Index first) {
    const Index keys = item * sizes.keys;
    Softened rows;
    rows.take(q + item * sizes.queries * sizes.size, k + keys * sizes.size, v + keys * sizes.width,
        mask + mask_base(sizes, item), first, sizes, shared);
    for (int i = 0; i < SIDE; ++i) {
      if (rows.total[i] != A(0)) rows.found.scale(i, A(1) / rows.total[i]);
    }
    rows.found.write(y + item * sizes.queries * sizes.width, first, sizes.queries, sizes.width, A(1));
  });
}

// ---- backward ------------------------------------------------------------------------------------
// Of each query: the logarithm of the sum of exp(score), infinity where it sees no key; and g . y,
// which is the mean of what g gives to the weights.
KERNEL attention_sums(const T* g, const T* q, const T* k, const T* v,
    const Seen* mask, A* logs, A* means, Sizes sizes) {
  DYNAMIC_SHARED(A, shared);
  each_tile(sizes, sizes.queries, sizes.causal, [&](Index item, Index first) {
    const Index keys = item * sizes.keys;
    const T* slopes = g + item * sizes.queries * sizes.width;
    Softened rows;
    rows.take(q + item * sizes.queries * sizes.size, k + keys * sizes.size, v + keys * sizes.width,
        mask + mask_base(sizes, item), first, sizes, shared);
    for (int i = 0; i < SIDE; ++i) {
      const Index row = first + threadIdx.y + 16 * i;
      A mean = A(0);
      if (row < sizes.queries) {
        rows.found.each(i, row, sizes.width, [&](A v, Index at) { mean += v * load(slopes[at]); });
      }
      mean = across(mean, Sum());
      if (threadIdx.x || row >= sizes.queries) continue;
      const A total = rows.total[i];
      logs[item * sizes.queries + row] = total == A(0) ? infinity() : rows.top[i] + log(total);
      means[item * sizes.queries + row] = total == A(0) ? A(0) : mean / total;
    }
  });
}

// The gradient of the queries: an own row is a query.
KERNEL attention_queries(const T* g, const T* q, const T* k, const T* v,
    const Seen* mask, const A* logs, const A* means, T* of_q, Sizes sizes) {
  DYNAMIC_SHARED(A, shared);
  A* own = shared;
  A* own_g = own + OWN * own_step(sizes.size);
  A* chunk = own_g + OWN * own_step(sizes.width);
  A* weights = chunk + OTHER * CHUNK_STEP;
  each_tile(sizes, sizes.queries, sizes.causal, [&](Index item, Index first) {
    const Index queries = item * sizes.queries;
    const T* keys = k + item * sizes.keys * sizes.size;
    const T* values = v + item * sizes.keys * sizes.width;
    const Seen* seen = mask + mask_base(sizes, item);
    fetch_own(own, q + queries * sizes.size, first, sizes.queries, sizes.size, A(sizes.scale));
    fetch_own(own_g, g + queries * sizes.width, first, sizes.queries, sizes.width, A(1));
    A log_of[SIDE], mean_of[SIDE];
    for (int i = 0; i < SIDE; ++i) {
      const Index row = first + threadIdx.y + 16 * i;
      log_of[i] = row < sizes.queries ? logs[queries + row] : infinity();
      mean_of[i] = row < sizes.queries ? means[queries + row] : A(0);
    }
    Held found;
    found.clear();
    const Index stop = keys_seen(first, sizes);
    for (Index key = 0; key < stop; key += OTHER) {
      A s[SIDE][COLUMNS] = {}, slope[SIDE][COLUMNS] = {};
      dots(s, own, chunk, keys, key, sizes.keys, sizes.size);
      dots(slope, own_g, chunk, values, key, sizes.keys, sizes.width);
      for (int i = 0; i < SIDE; ++i) {
        const int place = threadIdx.y + 16 * i;
        for (int j = 0; j < COLUMNS; ++j) {
          const int other = threadIdx.x + 16 * j;
          const A weight = exp(score(s[i][j], first + place, key + other, seen, sizes) - log_of[i]);
          weights[place * WEIGHT_STEP + other] = weight * (slope[i][j] - mean_of[i]);
        }
      }
      found.add(weights, chunk, keys, key, sizes.keys, sizes.size);
    }
    found.write(of_q + queries * sizes.size, first, sizes.queries, sizes.size, A(sizes.scale));
  });
}

// The gradients of keys and values: an own row is a key and its value.
KERNEL attention_keys(const T* g, const T* q, const T* k, const T* v,
    const Seen* mask, const A* logs, const A* means, T* of_k, T* of_v, Sizes sizes) {
  DYNAMIC_SHARED(A, shared);
  A* own = shared;
  A* own_v = own + OWN * own_step(sizes.size);
  A* chunk = own_v + OWN * own_step(sizes.width);
  A* weights = chunk + OTHER * CHUNK_STEP;
  each_tile(sizes, sizes.keys, false, [&](Index item, Index first) {
    const Index base = item * sizes.queries, keys = item * sizes.keys;
    const T* queries = q + base * sizes.size;
    const T* slopes = g + base * sizes.width;
    const Seen* seen = mask + mask_base(sizes, item);
    fetch_own(own, k + keys * sizes.size, first, sizes.keys, sizes.size, A(sizes.scale));
    fetch_own(own_v, v + keys * sizes.width, first, sizes.keys, sizes.width, A(1));
    Held of_key, of_value;
    of_key.clear();
    of_value.clear();
    // queries in front of the first own key do not see it
    for (Index query = sizes.causal ? first : 0; query < sizes.queries; query += OTHER) {
      A s[SIDE][COLUMNS] = {}, slope[SIDE][COLUMNS] = {};
      dots(s, own, chunk, queries, query, sizes.queries, sizes.size);
      dots(slope, own_v, chunk, slopes, query, sizes.queries, sizes.width);
      for (int j = 0; j < COLUMNS; ++j) {
        const int other = threadIdx.x + 16 * j;
        const Index row = query + other;
        const A log_of = row < sizes.queries ? logs[base + row] : infinity();
        const A mean_of = row < sizes.queries ? means[base + row] : A(0);
        for (int i = 0; i < SIDE; ++i) {
          const int place = threadIdx.y + 16 * i;
          const A weight = exp(score(s[i][j], row, first + place, seen, sizes) - log_of);
          slope[i][j] = weight * (slope[i][j] - mean_of);
          weights[place * WEIGHT_STEP + other] = weight;
        }
      }
      of_value.add(weights, chunk, slopes, query, sizes.queries, sizes.width);
      __syncthreads();  // the weights have been read
      for (int i = 0; i < SIDE; ++i) {
        for (int j = 0; j < COLUMNS; ++j) {
          weights[(threadIdx.y + 16 * i) * WEIGHT_STEP + threadIdx.x + 16 * j] = slope[i][j];
        }
      }
      of_key.add(weights, chunk, queries, query, sizes.queries, sizes.size);
    }
    of_key.write(of_k + keys * sizes.size, first, sizes.keys, sizes.size, A(sizes.scale));
    of_value.write(of_v + keys * sizes.width, first, sizes.keys, sizes.width, A(1));
  });
}
