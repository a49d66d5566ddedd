// Random numbers and dropout: Philox 4x32-10, a function of a key and a position.
//
// Word i of a stream is word i % 4 of the block with number position + i / 4, whichever thread
// computes it, so numbers do not depend on the launch, and backward draws dropout's mask again.
// Source: Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3.

constexpr int BLOCK_WORDS = 4;

struct Stream {
  UInt64 position;
  UInt32 keys[2];
};

struct Words {
  UInt32 at[BLOCK_WORDS];

  DEVICE UInt64 pair(int i) const { return UInt64(at[2 * i]) << 32 | at[2 * i + 1]; }
};

DEVICE Words words_of(const Stream& stream, Index block) {
  const UInt64 counter = stream.position + UInt64(block);
  UInt32 a = UInt32(counter), b = UInt32(counter >> 32), c = 0, d = 0;
  UInt32 first = stream.keys[0], second = stream.keys[1];
#pragma unroll
  for (int round = 0; round < 10; ++round) {
    const UInt64 left = UInt64(0xD2511F53u) * a, right = UInt64(0xCD9E8D57u) * c;
    a = UInt32(right >> 32) ^ b ^ first;
    c = UInt32(left >> 32) ^ d ^ second;
    b = UInt32(right);
    d = UInt32(left);
    first += 0x9E3779B9u;
    second += 0xBB67AE85u;
  }
  return {a, b, c, d};
}

DEVICE float unit_of(UInt32 word) { return float(word >> 8) * 5.9604644775390625e-8f; }  // 2^-24
DEVICE double unit_of(UInt64 word) {
  return double(word >> 11) * 1.1102230246251565404e-16;  // 2^-53
}

// The numbers that a block of words gives: four floats, or two doubles.
template <class V>
struct Units {
  typedef float Number;
  static constexpr int COUNT = BLOCK_WORDS;
  float at[COUNT];

  explicit DEVICE Units(const Words& words) {
    for (int i = 0; i < COUNT; ++i) at[i] = unit_of(words.at[i]);
  }
};
template <>
struct Units<double> {
  typedef double Number;
  static constexpr int COUNT = BLOCK_WORDS / 2;
  double at[COUNT];

  explicit DEVICE Units(const Words& words) {
    for (int i = 0; i < COUNT; ++i) at[i] = unit_of(words.pair(i));
  }
};

// ---- writing -------------------------------------------------------------------------------------
// COUNT elements that are written at once where their address allows it.
template <class V, int COUNT>
struct alignas(COUNT * sizeof(V) < 16 ? COUNT * sizeof(V) : 16) Some {
  V at[COUNT];
};

template <class V, int COUNT>
DEVICE bool fits(const V* y, Index first, Index count) {
  return first + COUNT <= count &&
         reinterpret_cast<UInt64>(y + first) % alignof(Some<V, COUNT>) == 0;
}

template <class V, int COUNT>
DEVICE void write(V* y, Index first, Index count, const Some<V, COUNT>& some) {
  if (fits<V, COUNT>(y, first, count)) {
    *reinterpret_cast<Some<V, COUNT>*>(y + first) = some;
    return;
  }
#pragma unroll
  for (int i = 0; i < COUNT; ++i) {
    if (first + i < count) y[first + i] = some.at[i];
  }
}

// Write make(words), COUNT elements for each block of words.
template <class V, int COUNT, class Make>
DEVICE void draw(V* y, Index count, const Stream& stream, Make make) {
  const Index blocks = (count + COUNT - 1) / COUNT;
  for (Index block = first_element(); block < blocks; block += element_step()) {
    write<V, COUNT>(y, block * COUNT, count, make(words_of(stream, block)));
  }
}

// ---- kernels -------------------------------------------------------------------------------------
KERNEL words(UInt32* y, Index count, Stream stream) {
  draw<UInt32, BLOCK_WORDS>(y, count, stream, [](const Words& words) {
    return Some<UInt32, BLOCK_WORDS>{words.at[0], words.at[1], words.at[2], words.at[3]};
  });
}

KERNEL long_words(UInt64* y, Index count, Stream stream) {
  draw<UInt64, 2>(y, count, stream, [](const Words& words) {
    return Some<UInt64, 2>{words.pair(0), words.pair(1)};
  });
}

KERNEL integers(Index* y, Index count, Index low, UInt64 width, Stream stream) {
  draw<Index, 2>(y, count, stream, [=](const Words& words) {
    return Some<Index, 2>{low + Index(words.pair(0) % width), low + Index(words.pair(1) % width)};
  });
}

KERNEL uniform(T* y, Index count, Stream stream) {
  constexpr int COUNT = Units<A>::COUNT;
  draw<T, COUNT>(y, count, stream, [](const Words& words) {
    const Units<A> units(words);
    Some<T, COUNT> some;
    for (int i = 0; i < COUNT; ++i) some.at[i] = store<T>(units.at[i]);
    return some;
  });
}

// Box and Muller: of two uniform numbers, one gives the radius, the other the angle.
KERNEL normal(T* y, Index count, Stream stream) {
  typedef Units<A>::Number Number;
  constexpr int COUNT = Units<A>::COUNT;
  draw<T, COUNT>(y, count, stream, [](const Words& words) {
    const Units<A> units(words);
    Some<T, COUNT> some;
    for (int i = 0; i < COUNT; i += 2) {
      const Number radius = sqrt(log(Number(1) - units.at[i]) * Number(-2));
      const Number angle = units.at[i + 1] * Number(6.283185307179586477);
      some.at[i] = store<T>(radius * cos(angle));
      some.at[i + 1] = store<T>(radius * sin(angle));
    }
    return some;
  });
}

// `scale` with probability `kept`, else 0.
KERNEL bernoulli(T* y, Index count, float kept, A scale, Stream stream) {
  draw<T, BLOCK_WORDS>(y, count, stream, [=](const Words& words) {
    Some<T, BLOCK_WORDS> some;
    for (int i = 0; i < BLOCK_WORDS; ++i) {
      some.at[i] = store<T>(unit_of(words.at[i]) < kept ? scale : A(0));
    }
    return some;
  });
}

// x times what `bernoulli` draws, from a stream that lies in memory: its two halves of 64 bits.
KERNEL dropout(const T* x, const UInt64* lies, T* y, Index count, float kept, A scale) {
  typedef Some<T, BLOCK_WORDS> Four;
  const Stream stream = {lies[0], {UInt32(lies[1]), UInt32(lies[1] >> 32)}};
  const Index blocks = (count + BLOCK_WORDS - 1) / BLOCK_WORDS;
  for (Index block = first_element(); block < blocks; block += element_step()) {
    const Words words = words_of(stream, block);
    const Index first = block * BLOCK_WORDS;
    Four four = {};
    if (fits<T, BLOCK_WORDS>(x, first, count)) {
      four = *reinterpret_cast<const Four*>(x + first);
    } else {
#pragma unroll
      for (int i = 0; i < BLOCK_WORDS; ++i) {
        if (first + i < count) four.at[i] = x[first + i];
      }
    }
#pragma unroll
    for (int i = 0; i < BLOCK_WORDS; ++i) {
      const A factor = unit_of(words.at[i]) < kept ? scale : A(0);
      four.at[i] = store<T>(load(four.at[i]) * factor);
    }
    write<T, BLOCK_WORDS>(y, first, count, four);
  }
}
