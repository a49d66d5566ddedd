// Rows of a table, looked up by number and added up by number. I is the type of the numbers.
// A number that is no row, which operators refuse before they come here, gives NaN and no gradient.
#include "access.cuh"

DEVICE bool is_row(Index number, Index rows) { return UInt64(number) < UInt64(rows); }

// numbers (count), table (rows, width) -> y (count, width). A thread takes 16 bytes where it can.
KERNEL embedding_forward(const I* numbers, const T* table, T* y, Index count, Index rows,
                         Index width) {
  const bool packed = width % WIDTH == 0 && is_aligned(table) && is_aligned(y);
  const Index run = packed ? WIDTH : 1, runs = width / run;
  for (Index i = first_element(); i < count * runs; i += element_step()) {
    const Index entry = quotient(i, runs), column = (i - entry * runs) * run;
    const Index number = numbers[entry];
    const T* const from = table + number * width + column;
    T* const to = y + entry * width + column;
    if (!is_row(number, rows)) {
      for (Index j = 0; j < run; ++j) to[j] = store<T>(not_a_number());
    } else if (packed) {
      store_pack(to, load_pack(from));
    } else {
      *to = *from;
    }
  }
}

KERNEL one_hot(const I* numbers, T* y, Index count, Index classes) {
  for (Index i = first_element(); i < count; i += element_step()) {
    const Index entry = quotient(i, classes);
    y[i] = store<T>(A(Index(numbers[entry]) == i - entry * classes));
  }
}

// ---- sorting -------------------------------------------------------------------------------------
// A key is an entry's row and, below it, its place: no two are equal, so that every way of sorting
// gives the same order, in which the entries of a row keep theirs.
typedef UInt64 Key;
#define RUN 1024                       // keys that a block sorts
#define SORTERS 512                    // threads that do
constexpr Key NO_ROW = 0xffffffffull;  // sorts behind every row

DEVICE Key row_of(Key key) { return key >> 32; }
DEVICE Index place_in(Key key) { return Index(key & 0xffffffffull); }

KERNEL sort_runs(const I* numbers, Key* keys, Index count, Index rows,
                 Index skipped) {
  __shared__ Key run[RUN];
  const Index start = Index(blockIdx.x) * RUN;
  for (int i = threadIdx.x; i < RUN; i += SORTERS) {
    const Index at = start + i, number = at < count ? Index(numbers[at]) : -1;
    const bool kept = is_row(number, rows) && number != skipped;
    run[i] = (kept ? Key(number) : NO_ROW) << 32 | Key(at);
  }
  for (int size = 2; size <= RUN; size *= 2) {  // bitonic
    for (int distance = size / 2; distance; distance /= 2) {
      __syncthreads();
      const int low = 2 * threadIdx.x - (threadIdx.x & (distance - 1)), high = low + distance;
      const bool down = low & size;
      const Key a = run[low], b = run[high];
      if ((a > b) != down) run[low] = b, run[high] = a;
    }
  }
  __syncthreads();
  for (int i = threadIdx.x; i < RUN; i += SORTERS) {
    if (start + i < count) keys[start + i] = run[i];
  }
}

// Merge neighbouring runs of *length* keys: a key's place is its own and that in the other run.
KERNEL merge_runs(const Key* keys, Key* merged, Index count, Index length) {
  for (Index i = first_element(); i < count; i += element_step()) {
    const Index pair = quotient(i, 2 * length) * 2 * length, middle = min(pair + length, count);
    const bool second = i >= middle;
    Index begin = second ? pair : middle, end = second ? middle : min(middle + length, count);
    const Index other = begin;
    const Key key = keys[i];
    while (begin < end) {
      const Index half = begin + (end - begin) / 2;
      if (keys[half] < key) begin = half + 1;
      else end = half;
    }
    merged[i - (second ? length : 0) + (begin - other)] = key;
  }
}

// ---- adding up -----------------------------------------------------------------------------------
// The sorted keys are cut into chunks. What of a row lies in one chunk is added up and written; what
// goes on beyond it is left in *ends*, (chunks, 2, width): 0 that which comes from the chunk before,
// 1 that which begins here and goes on.
DEVICE bool continues(const Key* keys, Index at, Index count) {  // the row of *at* at the next key
  return at + 1 < count && row_of(keys[at]) == row_of(keys[at + 1]);
}

KERNEL sum_chunks(const T* g, const Key* keys, T* y, A* ends, Index count, Index length,
                  Index chunks, Index width) {
  for (Index i = first_element(); i < chunks * width; i += element_step()) {
    const Index chunk = quotient(i, width), column = i - chunk * width;
    const Index begin = chunk * length, end = min(begin + length, count);
    bool inherited = begin && continues(keys, begin - 1, count);
    A total = 0;
    for (Index at = begin; at < end && row_of(keys[at]) != NO_ROW; ++at) {
      total += load(g[place_in(keys[at]) * width + column]);
      const bool more = continues(keys, at, count);
      if (more && at + 1 < end) continue;
      if (inherited || more) {
        ends[(chunk * 2 + !inherited) * width + column] = total;
      } else {
        y[Index(row_of(keys[at])) * width + column] = store<T>(total);
      }
      inherited = false;
      total = 0;
    }
  }
}

// Add up what a row left in several chunks; the chunk in which it begins owns it.
KERNEL join_chunks(const Key* keys, const A* ends, T* y, Index count, Index length, Index chunks,
                   Index width) {
  for (Index i = first_element(); i < chunks * width; i += element_step()) {
    const Index first = quotient(i, width), column = i - first * width;
    const Index last = min((first + 1) * length, count) - 1;
    const Key row = row_of(keys[last]);
    if (row == NO_ROW || !continues(keys, last, count)) continue;
    const Index begin = first * length;
    if (begin && row_of(keys[begin - 1]) == row) continue;  // it began before
    A total = ends[(first * 2 + 1) * width + column];
    for (Index chunk = first + 1; chunk < chunks && row_of(keys[chunk * length]) == row; ++chunk) {
      total += ends[chunk * 2 * width + column];
    }
    y[Index(row) * width + column] = store<T>(total);
  }
}

// ---- bags ----------------------------------------------------------------------------------------
DEVICE Index bag_end(const I* offsets, Index bag, Index bags, Index count) {
  return bag + 1 < bags ? Index(offsets[bag + 1]) : count;
}

constexpr Int32 SUM = 0, MEAN = 1, MAX = 2;  // modes

// numbers and scales (count), of which bag b has those from offsets[b] to the next offset.
KERNEL embedding_bag(const I* numbers, const I* offsets, const T* table, const T* scales, T* y,
                     Index count, Index bags, Index rows, Index width, Index skipped, Int32 mode,
                     Int32 scaled) {
  for (Index i = first_element(); i < bags * width; i += element_step()) {
    const Index bag = quotient(i, width), column = i - bag * width;
    const Index end = bag_end(offsets, bag, bags, count);
    A total = mode == MAX ? -infinity() : A(0);
    Index kept = 0;
    for (Index entry = offsets[bag]; entry < end; ++entry) {
      const Index number = numbers[entry];
      if (number == skipped) continue;
      A value = is_row(number, rows) ? A(load(table[number * width + column])) : not_a_number();
      if (scaled) value *= load(scales[entry]);
      total = mode == MAX ? Max()(total, value) : total + value;
      ++kept;
    }
    if (!kept) total = 0;
    if (mode == MEAN && kept) total /= A(kept);
    y[i] = store<T>(total);
  }
}

// The number of the bag that each entry is in: that of the last offset which is not beyond it.
KERNEL bag_numbers(const I* offsets, Int64* y, Index count, Index bags) {
  for (Index i = first_element(); i < count; i += element_step()) {
    Index begin = 0, end = bags;
    while (begin < end) {
      const Index half = begin + (end - begin) / 2;
      if (Index(offsets[half]) <= i) begin = half + 1;
      else end = half;
    }
    y[i] = begin - 1;
  }
}

// rows (count, width) -> 1 at the first largest of each column of each bag; none if it has a NaN.
KERNEL bag_largest(const T* table, const I* offsets, T* y, Index count, Index bags, Index width) {
  for (Index i = first_element(); i < bags * width; i += element_step()) {
    const Index bag = quotient(i, width), column = i - bag * width;
    const Index begin = offsets[bag], end = bag_end(offsets, bag, bags, count);
    A best = -infinity();
    for (Index entry = begin; entry < end; ++entry) {
      best = Max()(best, A(load(table[entry * width + column])));
    }
    bool found = false;
    for (Index entry = begin; entry < end; ++entry) {
      const bool first = !found && load(table[entry * width + column]) == best;
      y[entry * width + column] = store<T>(A(first));
      found |= first;
    }
  }
}
