// What every load and store of a kernel goes through: g++ -fsanitize=thread puts a call of
// __tsan_readN or __tsan_writeN in front of it, and here, in place of its library, are ours.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "runtime.h"

namespace cuemu {
namespace {
enum Access { READ, WRITE, ATOMIC };

struct Stamp {
  uint32_t block, phase, pc;
  uint16_t step, thread : 12, access : 4;
};

// What is remembered of one element: the last write, the first and the last of the threads that
// read it between two barriers, and one read by an earlier block.
struct Cell {
  Stamp write, first, last, earlier;
};

// The cells of a region. Those of shared memory are of bytes, of which the first of each word
// stands for all until one of the others is accessed alone.
struct Shadow {
  Region region;
  Cell* cells;
  std::vector<bool> split;
};

std::vector<Shadow> shadows;
Fault unwritten;  // the first read of shared memory that had no value
size_t recent;
bool checked;
char *image, *image_end;
uint32_t first_block;  // stamps of blocks before it are of launches that are over

Cell* reserve(size_t count) {  // what it holds from the last launch does not matter
  static Cell* cells;
  static size_t room;
  if (count > room) {
    free(cells);
    room = 2 * count;
    cells = static_cast<Cell*>(calloc(room, sizeof(Cell)));
  }
  return cells;
}

bool nobody(const Stamp& stamp) { return stamp.block < first_block; }

// Whether the running thread knows that the access of *stamp* is over.
bool ordered(const Stamp& stamp) {
  if (nobody(stamp)) return true;
  if (stamp.block != now.block) return false;
  if (stamp.thread == now.thread || stamp.phase != now.phase) return true;
  if (stamp.thread / LANES != now.thread / LANES) return false;
  return now.seen[now.thread][stamp.thread % LANES] >= stamp.step;
}

Stamp mark(Access access, uint64_t pc) {
  uint32_t step = now.seen[now.thread][now.thread % LANES];
  return {now.block, now.phase, uint32_t(pc - uint64_t(image)), uint16_t(step),
          uint16_t(now.thread), access};
}

Fault described(int kind, size_t shadow, int64_t offset, int bytes, Access access, uint64_t pc,
                const Stamp* other) {
  Fault f = {};
  f.kind = kind, f.region = int(shadow), f.offset = offset, f.bytes = bytes;
  f.write[0] = access, f.thread[0] = now.thread, f.block[0] = now.in_grid;
  f.pc[0] = pc - uint64_t(image);
  if (other) {
    f.write[1] = other->access, f.thread[1] = other->thread;
    f.block[1] = place_of(other->block), f.pc[1] = other->pc;
  }
  return f;
}

[[noreturn]] void report(int kind, size_t shadow, int64_t offset, int bytes, Access access,
                         uint64_t pc, const Stamp* other) {
  fault = described(kind, shadow, offset, bytes, access, pc, other);
  stop();
}

void read_cell(Cell& cell, uint64_t pc) {
  if (cell.first.block != now.block || cell.first.phase != now.phase) {
    if (!nobody(cell.first) && cell.first.block != now.block) cell.earlier = cell.first;
    cell.first = mark(READ, pc);
    cell.last.block = 0;
  } else if (cell.first.thread != now.thread) {
    cell.last = mark(READ, pc);
  }
}

const Stamp* conflict(const Cell& cell, Access access) {
  bool both_atomic = access == ATOMIC && cell.write.access == ATOMIC;
  if (!both_atomic && !ordered(cell.write)) return &cell.write;
  if (access == READ) return nullptr;
  for (const Stamp* read : {&cell.first, &cell.last, &cell.earlier})
    if (!ordered(*read)) return read;
  return nullptr;
}

void check_cell(size_t at, Cell& cell, int64_t offset, int bytes, Access access, uint64_t pc) {
  bool shared = shadows[at].region.shared;
  if (shared && cell.write.block != now.block) {
    // a thread that writes it before the next barrier makes a race of it
    if (access != WRITE && !unwritten.kind)
      unwritten = described(UNINITIALISED, at, offset, bytes, access, pc, nullptr);
    cell.write.block = cell.earlier.block = 0;
    if (cell.first.block != now.block) cell.first.block = cell.last.block = 0;
  }
  if (const Stamp* other = conflict(cell, access)) report(RACE, at, offset, bytes, access, pc, other);
  if (access == READ) {
    read_cell(cell, pc);
  } else {
    cell.write = mark(access, pc);
    cell.first.block = cell.last.block = cell.earlier.block = 0;
  }
}

void check_bytes(size_t at, Shadow& shadow, int64_t offset, int bytes, Access access, uint64_t pc) {
  bool whole = offset % 4 == 0 && bytes % 4 == 0;
  for (int64_t i = offset; i < offset + bytes;) {
    if (whole && !shadow.split[i / 4]) {
      check_cell(at, shadow.cells[i], offset, bytes, access, pc);
      i += 4;
      continue;
    }
    if (!shadow.split[i / 4]) {
      Cell* word = shadow.cells + i / 4 * 4;
      word[1] = word[2] = word[3] = word[0];
      shadow.split[i / 4] = true;
    }
    check_cell(at, shadow.cells[i], offset, bytes, access, pc);
    i++;
  }
}

bool inside(const Region& region, char* address, int bytes) {
  return address >= region.start && address + bytes <= region.start + region.bytes;
}

// The region nearest to an address that is in none, for the message.
size_t nearest(char* address) {
  size_t best = 0;
  uint64_t least = ~0ull;
  for (size_t i = 0; i < shadows.size(); i++) {
    const Region& r = shadows[i].region;
    uint64_t off = address < r.start ? r.start - address : address - r.start - r.bytes + 1;
    if (off < least) least = off, best = i;
  }
  return best;
}

void outside(char* address, int bytes, Access access, uint64_t pc) {
  if (address >= now.stack && address + bytes <= now.stack_end) return;
  if (access == READ && address >= image && address + bytes <= image_end) return;
  if (address >= now.stacks && address < now.stacks_end)
    report(LOCAL, -1, int64_t(address), bytes, access, pc, nullptr);
  size_t at = nearest(address);
  int64_t offset = shadows.empty() ? int64_t(address) : address - shadows[at].region.start;
  report(BOUNDS, shadows.empty() ? -1 : at, offset, bytes, access, pc, nullptr);
}

void check(void* pointer, int bytes, Access access, void* caller) {
  if (!checked) return;
  char* address = static_cast<char*>(pointer);
  uint64_t pc = uint64_t(caller) - 1;
  if (address >= now.stack && address < now.stack_end) return outside(address, bytes, access, pc);
  size_t at = recent;
  if (at >= shadows.size() || !inside(shadows[at].region, address, bytes))
    for (at = 0; at < shadows.size() && !inside(shadows[at].region, address, bytes);) at++;
  if (at == shadows.size()) return outside(address, bytes, access, pc);
  recent = at;
  Shadow& shadow = shadows[at];
  int64_t offset = address - shadow.region.start;
  if (shadow.region.shared) return check_bytes(at, shadow, offset, bytes, access, pc);
  int64_t grain = shadow.region.grain, last = (offset + bytes - 1) / grain;
  for (int64_t i = offset / grain; i <= last; i++)
    check_cell(at, shadow.cells[i], offset, bytes, access, pc);
}

void aligned(void* address, int bytes, Access access, void* caller) {
  if (checked && uint64_t(address) % bytes)
    report(ALIGNMENT, -1, int64_t(address), bytes, access, uint64_t(caller) - 1, nullptr);
  check(address, bytes, access, caller);
}
}  // namespace

void open_checks(const Launch& launch) {
  image = launch.image, image_end = launch.image_end, checked = launch.checked;
  recent = 0, unwritten = {}, first_block = now.block + 1;
  size_t count = 0;
  auto size = [](const Region& region) { return region.bytes / region.grain + 4; };
  for (int i = 0; i < launch.region_count; i++) count += size(launch.regions[i]);
  Cell* cells = checked ? reserve(count) : nullptr;
  for (int i = 0; i < launch.region_count; i++) {
    const Region& region = launch.regions[i];
    size_t words = checked && region.shared ? region.bytes / 4 + 1 : 0;
    shadows.push_back({region, cells, std::vector<bool>(words)});
    cells += checked ? size(region) : 0;
  }
}

void close_checks() {
  shadows.clear();
  checked = false;
}

bool read_unwritten() {
  if (unwritten.kind) fault = unwritten;
  return unwritten.kind;
}

__attribute__((no_sanitize("address"))) void new_block() {
  for (Shadow& shadow : shadows)
    if (shadow.region.shared) {
      volatile char* byte = shadow.region.start;  // all ones: NaN, and -1
      for (uint64_t i = 0; i < shadow.region.bytes; i++) byte[i] = char(0xff);
    }
}
}  // namespace cuemu

using namespace cuemu;
#define CALLER __builtin_return_address(0)
extern "C" {
void cuemu_atomic(void* address, int bytes, void* caller) {
  aligned(address, bytes, ATOMIC, caller);
}
#define ACCESS(n)                                                                   \
  void __tsan_read##n(void* a) { aligned(a, n, READ, CALLER); }                     \
  void __tsan_write##n(void* a) { aligned(a, n, WRITE, CALLER); }                   \
  void __tsan_unaligned_read##n(void* a) { check(a, n, READ, CALLER); }             \
  void __tsan_unaligned_write##n(void* a) { check(a, n, WRITE, CALLER); }           \
  void __tsan_volatile_read##n(void* a) { check(a, n, READ, CALLER); }              \
  void __tsan_volatile_write##n(void* a) { check(a, n, WRITE, CALLER); }
ACCESS(1) ACCESS(2) ACCESS(4) ACCESS(8) ACCESS(16)
void __tsan_read_range(void* a, size_t n) { check(a, int(n), READ, CALLER); }
void __tsan_write_range(void* a, size_t n) { check(a, int(n), WRITE, CALLER); }
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
}
