// What the scheduler (runtime.cpp), the checks (checks.cpp) and build.py's callers share.
#pragma once
#include <cstddef>
#include <cstdint>

namespace cuemu {
constexpr int LANES = 32, MOST_THREADS = 1024;

// Memory that a kernel may touch: an array of the launch, or a shared variable of the module.
struct Region {
  char* start;
  uint64_t bytes;
  uint32_t grain;   // bytes of an element: accesses of different elements never conflict
  uint32_t shared;  // of a block, and without values when the block begins
};

// What went wrong; backend.py puts it in words.
struct Fault {
  int32_t kind;    // of FAULTS in backend.py
  int32_t line;    // of the source, where a barrier or a warp function was called
  int32_t region;  // -1: none
  int32_t bytes;
  int64_t offset;  // of the address in the region, or the address
  int32_t write[2];  // this access and the earlier one: 0 read, 1 write, 2 atomic
  int32_t thread[2];
  int64_t block[2];
  uint64_t pc[2];
  int32_t other_line;
  uint32_t mask;
  char file[2][32];
};
enum { FINE, BARRIER, DEADLOCK, MASK, LANE, RACE, BOUNDS, UNINITIALISED, TRAP, LOCAL, ALIGNMENT };

struct Launch {
  void (*call)(void**);
  void** arguments;
  uint32_t grid[3], block[3];
  Region* regions;
  int32_t region_count, checked;
  char* dynamic_shared;
  char *image, *image_end;  // the module: its constants may be read
  int64_t schedule;         // -1 forward, -2 reverse, else a seed
};

// The state of the thread that runs, for the checks.
struct Now {
  uint32_t block;   // counts every block that ever ran
  int64_t in_grid;  // the block's place in its grid
  int thread;
  uint32_t phase;  // block barriers passed
  uint32_t (*seen)[LANES];  // per thread: the latest warp step of each lane that it knows to be over
  char *stack, *stack_end, *stacks, *stacks_end;
};
extern Now now;
extern Fault fault;

int64_t place_of(uint32_t block);  // of a block of this launch, in its grid
[[noreturn]] void stop();  // end the launch: `fault` is filled in
void open_checks(const Launch& launch);
void close_checks();
void new_block();  // shared memory has no values from here
bool read_unwritten();  // at a barrier, and at the end: whether `fault` now says so
}  // namespace cuemu
