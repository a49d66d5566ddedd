// Runs a kernel on the processor: a fibre per thread of a block, one block after the other.
// The order of warps, lanes and blocks is the schedule's; a thread runs until it waits.
#include "runtime.h"

#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
constexpr size_t STACK = 256 << 10;
#else
constexpr size_t STACK = 64 << 10;
#endif
constexpr size_t GUARD = 4096;

struct uint3 {
  unsigned x, y, z;
};
uint3 threadIdx, blockIdx, blockDim, gridDim;

// ---- switching between stacks --------------------------------------------------------------------
#ifdef __x86_64__
extern "C" void cuemu_switch(void** from, void* to);
asm(R"(
.text
.globl cuemu_switch
.type cuemu_switch, @function
cuemu_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
)");
struct Context {
  void* top = nullptr;
  void enter(Context& to) { cuemu_switch(&top, to.top); }
  void make(char* stack, size_t bytes, void (*body)()) {
    void** at = reinterpret_cast<void**>(stack + bytes) - 1;  // aligned as after a call
    *at = nullptr;
    *--at = reinterpret_cast<void*>(body);
    top = at - 6;
  }
};
#else
struct Context {
  ucontext_t context;
  void enter(Context& to) { swapcontext(&context, &to.context); }
  void make(char* stack, size_t bytes, void (*body)()) {
    getcontext(&context);
    context.uc_stack.ss_sp = stack, context.uc_stack.ss_size = bytes, context.uc_link = nullptr;
    makecontext(&context, body, 0);
  }
};
#endif

namespace cuemu {
Now now;
Fault fault;

namespace {
enum State : uint8_t { READY, AT_BARRIER, IN_WARP, DONE };

struct Thread {
  Context context;
  State state;
  const char* file;
  int line, kind, source, predicate, reduce;
  uint32_t mask;
  uint64_t bits, result;
};

Thread threads[MOST_THREADS];
uint32_t seen[MOST_THREADS][LANES];
uint3 places[MOST_THREADS];
Context scheduler;
char* stacks;
const Launch* launch;
int count, running;
uint32_t first_block;
std::vector<uint64_t> order;  // of blocks, where the schedule is a seed
std::mt19937_64 dice;
std::vector<int> warps, lanes[MOST_THREADS / LANES];
const void* scheduler_stack;
size_t scheduler_bytes;

void finish_switch(void* fake, const void** stack, size_t* bytes) {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(fake, stack, bytes);
#endif
}

void to_scheduler(bool leaves) {
  Thread& thread = threads[running];
#ifdef __SANITIZE_ADDRESS__
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(leaves ? nullptr : &fake, scheduler_stack, scheduler_bytes);
  thread.context.enter(scheduler);
  finish_switch(fake, &scheduler_stack, &scheduler_bytes);
#else
  thread.context.enter(scheduler);
#endif
}

void body() {
  finish_switch(nullptr, &scheduler_stack, &scheduler_bytes);
  launch->call(launch->arguments);
  threads[running].state = DONE;
  to_scheduler(true);
  __builtin_unreachable();
}

void run(int thread) {
  running = now.thread = thread;
  threadIdx = places[thread];
  now.stack = stacks + thread * (STACK + GUARD) + GUARD;
  now.stack_end = now.stack + STACK;
#ifdef __SANITIZE_ADDRESS__
  void* fake;
  __sanitizer_start_switch_fiber(&fake, now.stack, STACK);
  scheduler.enter(threads[thread].context);
  finish_switch(fake, nullptr, nullptr);
#else
  scheduler.enter(threads[thread].context);
#endif
}

void fail(int kind, int thread, int other) {
  fault = {};
  fault.kind = kind, fault.region = -1;
  fault.block[0] = fault.block[1] = now.in_grid;
  fault.thread[0] = thread, fault.thread[1] = other;
  fault.line = threads[thread].line, fault.mask = threads[thread].mask;
  strncpy(fault.file[0], threads[thread].file, sizeof fault.file[0] - 1);
  fault.other_line = -1;
  if (other < 0 || threads[other].state == DONE) return;
  fault.other_line = threads[other].line;
  strncpy(fault.file[1], threads[other].file, sizeof fault.file[1] - 1);
}

bool random_schedule() { return launch->schedule >= 0; }

// Whether every lane of the mask waits for what lane *t* waits for; those that returned count.
bool complete(int t) {
  int first = t - t % LANES;
  for (int lane = 0; lane < LANES; lane++) {
    if (!(threads[t].mask >> lane & 1) || first + lane >= count) continue;
    const Thread& other = threads[first + lane];
    if (other.state == DONE) continue;
    if (other.state != IN_WARP || other.kind != threads[t].kind || other.mask != threads[t].mask)
      return false;
  }
  return true;
}

void synchronise_lanes(int first, uint32_t mask) {  // each now knows of all steps of the others
  uint32_t known[LANES] = {};
  for (int lane = 0; lane < LANES; lane++)
    if (mask >> lane & 1 && first + lane < count)
      for (int i = 0; i < LANES; i++) known[i] = std::max(known[i], seen[first + lane][i]);
  for (int lane = 0; lane < LANES; lane++)
    if (mask >> lane & 1 && first + lane < count) {
      memcpy(seen[first + lane], known, sizeof known);
      seen[first + lane][lane]++;
    }
}

// Give the lanes of the mask of *t* their results; false if one reads from where nothing is.
bool give(int t) {
  int first = t - t % LANES, kind = threads[t].kind;
  uint32_t mask = threads[t].mask, votes = 0;
  for (int lane = 0; lane < LANES; lane++)
    if (mask >> lane & 1 && first + lane < count && threads[first + lane].state == IN_WARP)
      votes |= uint32_t(threads[first + lane].bits & 1) << lane;
  for (int lane = 0; lane < LANES; lane++) {
    int i = first + lane;
    if (!(mask >> lane & 1) || i >= count || threads[i].state != IN_WARP) continue;
    Thread& thread = threads[i];
    if (thread.source < 0) {
      thread.result = votes;
    } else {
      int source = first + thread.source;
      if (!(mask >> thread.source & 1) || source >= count || threads[source].state == DONE) {
        fail(LANE, i, -1);
        fault.other_line = thread.source;
        return false;
      }
      thread.result = threads[source].bits;
    }
  }
  for (int lane = 0; lane < LANES; lane++)
    if (mask >> lane & 1 && first + lane < count && threads[first + lane].state == IN_WARP)
      threads[first + lane].state = READY;
  if (kind == 5) synchronise_lanes(first, mask);  // SYNC of cuda_emu.h: shuffles order no memory
  return true;
}

// One step of a warp: its ready lanes run until they wait, then what is complete is given.
bool step(int warp) {
  bool moved = false;
  if (random_schedule()) std::shuffle(lanes[warp].begin(), lanes[warp].end(), dice);
  for (int t : lanes[warp])
    if (threads[t].state == READY) {
      run(t), moved = true;
      if (fault.kind) return true;
    }
  for (int t : lanes[warp])
    if (threads[t].state == IN_WARP && complete(t)) {
      moved = true;
      if (!give(t)) return true;
    }
  return moved;
}

void release() {
  int votes = 0;
  for (int t = 0; t < count; t++) votes += threads[t].predicate != 0;
  for (int t = 0; t < count; t++) {
    int reduce = threads[t].reduce;
    threads[t].result = reduce == 1 ? votes : reduce == 2 ? votes == count : votes > 0;
    threads[t].state = READY;
  }
  now.phase++;
}

// Nothing moves: let all pass the barrier, or say who waits for whom.
bool barrier_reached() {
  int at_barrier = -1, elsewhere = -1, in_warp = -1;
  for (int t = 0; t < count; t++) {
    if (threads[t].state == AT_BARRIER) at_barrier = t;
    else elsewhere = t;
    if (threads[t].state == IN_WARP) in_warp = t;
  }
  if (in_warp >= 0) {
    int first = in_warp - in_warp % LANES, other = -1;
    for (int lane = 0; lane < LANES && first + lane < count; lane++) {
      const Thread& t = threads[first + lane];
      bool waits = t.state == IN_WARP && t.kind == threads[in_warp].kind &&
                   t.mask == threads[in_warp].mask;
      if (threads[in_warp].mask >> lane & 1 && t.state != DONE && !waits) other = first + lane;
    }
    return fail(DEADLOCK, in_warp, other), false;
  }
  if (elsewhere >= 0) return fail(BARRIER, at_barrier, elsewhere), false;
  for (int t = 1; t < count; t++)
    if (threads[t].line != threads[0].line || threads[t].reduce != threads[0].reduce)
      return fail(BARRIER, 0, t), false;
  release();
  return true;
}

bool all_done() {
  return std::all_of(threads, threads + count, [](const Thread& t) { return t.state == DONE; });
}

void run_block() {
  now.block++, now.phase = 0;
  for (int t = 0; t < count; t++) {
    char* stack = stacks + t * (STACK + GUARD) + GUARD;
#ifdef __SANITIZE_ADDRESS__
    __asan_unpoison_memory_region(stack, STACK);  // of frames that never returned
#endif
    threads[t].context.make(stack, STACK, body);
    threads[t].state = READY;
    threads[t].file = "";
    memset(seen[t], 0, sizeof seen[t]);
    seen[t][t % LANES] = 1;
  }
  while (!fault.kind) {
    bool moved = false;
    if (random_schedule()) std::shuffle(warps.begin(), warps.end(), dice);
    for (int warp : warps) {
      bool more = step(warp);
      moved |= more;
      while (more && !fault.kind && !(random_schedule() && dice() % 2)) more = step(warp);
      if (fault.kind) return;
    }
    if (moved) continue;
    if (all_done()) return void(read_unwritten());
    if (!barrier_reached() || read_unwritten()) return;
  }
}

void arrange(const Launch& given) {
  launch = &given;
  fault = {};
  blockDim = {given.block[0], given.block[1], given.block[2]};
  gridDim = {given.grid[0], given.grid[1], given.grid[2]};
  count = blockDim.x * blockDim.y * blockDim.z;
  dice.seed(given.schedule);
  bool backwards = given.schedule == -2;
  warps.resize((count + LANES - 1) / LANES);
  std::iota(warps.begin(), warps.end(), 0);
  if (backwards) std::reverse(warps.begin(), warps.end());
  for (size_t warp = 0; warp < warps.size(); warp++) {
    lanes[warp].resize(std::min<int>(LANES, count - warp * LANES));
    std::iota(lanes[warp].begin(), lanes[warp].end(), warp * LANES);
    if (backwards) std::reverse(lanes[warp].begin(), lanes[warp].end());
  }
  for (unsigned t = 0; t < unsigned(count); t++)
    places[t] = {t % blockDim.x, t / blockDim.x % blockDim.y, t / (blockDim.x * blockDim.y)};
}

void make_stacks() {
  if (stacks) return;
  size_t bytes = MOST_THREADS * (STACK + GUARD) + GUARD;
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  stacks = static_cast<char*>(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, -1, 0));
  if (stacks == MAP_FAILED) abort();
  for (int t = 0; t <= MOST_THREADS; t++) mprotect(stacks + t * (STACK + GUARD), GUARD, PROT_NONE);
  now.stacks = stacks, now.stacks_end = stacks + bytes, now.seen = seen;
}
}  // namespace

void stop() {
  to_scheduler(true);
  __builtin_unreachable();
}

int64_t place_of(uint32_t block) {
  uint64_t i = block - first_block, blocks = uint64_t(gridDim.x) * gridDim.y * gridDim.z;
  return !order.empty() ? order[i] : launch->schedule == -2 ? blocks - 1 - i : i;
}

}  // namespace cuemu

// ---- what kernels call ---------------------------------------------------------------------------
using namespace cuemu;

extern "C" {
void* cuemu_dynamic_shared() { return launch->dynamic_shared; }

unsigned cuemu_rank() { return running; }

void cuemu_trap(const char* file, int line) {
  threads[running].file = file, threads[running].line = line;
  fail(TRAP, running, -1);
  stop();
}

int cuemu_barrier(int predicate, int reduce, const char* file, int line) {
  Thread& thread = threads[running];
  thread.state = AT_BARRIER, thread.predicate = predicate, thread.reduce = reduce;
  thread.file = file, thread.line = line, thread.mask = 0;
  to_scheduler(false);
  return thread.result;
}

unsigned long long cuemu_exchange(int kind, unsigned mask, unsigned long long bits, int source,
                                  const char* file, int line) {
  Thread& thread = threads[running];
  thread.kind = kind, thread.mask = mask, thread.bits = bits, thread.source = source;
  thread.file = file, thread.line = line;
  if (!(mask >> running % LANES & 1)) {
    fail(MASK, running, -1);
    stop();
  }
  thread.state = IN_WARP;
  to_scheduler(false);
  return thread.result;
}

// Run all blocks; return the first fault, of which kind 0 says that there was none.
Fault* cuemu_launch(const Launch* given) {
  make_stacks();
  arrange(*given);
  open_checks(*given);
  uint64_t blocks = uint64_t(gridDim.x) * gridDim.y * gridDim.z;
  order.clear();
  first_block = now.block + 1;
  if (random_schedule() && blocks <= 1 << 20) {
    order.resize(blocks);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), dice);
  }
  for (uint64_t i = 0; i < blocks && !fault.kind; i++) {
    uint64_t b = now.in_grid = place_of(first_block + i);
    blockIdx = {unsigned(b % gridDim.x), unsigned(b / gridDim.x % gridDim.y),
                unsigned(b / gridDim.x / gridDim.y)};
    new_block();
    run_block();
  }
  close_checks();
  return &fault;
}
}
