// The stop-watch of `make bench`. It starts inits as PID 1 of a PID namespace each, in turn, and has
// a child of its own under each of them that tells by the same clock when something reached it.
//
//   probe start ROUNDS COLD + COMMAND… + COMMAND…      spawn -> the child's first instruction, -> exit
//   probe forward ROUNDS GAP IDLE + COMMAND… + …       kill -> the child's signal handler
//   probe hold SIGNALS + COMMAND… + …                  starts all, sends them signals, holds until EOF
//
// Output: INDEX and nanoseconds, a line a round; INDEX counts the commands. COLD is "cold" if the pages of the
// init's file are to be dropped from the page cache before each start, else "-". GAP is in microseconds, IDLE in
// seconds before the first signal. Held are inits that have had so many signals, one after the other; of each the
// PID and the CPU time that they took are printed. A command ends in one of these children:
//
//   probe first FD        writes the time of its first instruction, and exits
//   probe signalled FD    writes the time at which each SIGUSR1 arrives
//   probe orphans N       N orphans die at once; how long until none is left
//   probe crowd N         one orphan dies among N idle processes; the median of 200
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { REPORT_FD = 100, MAX_COMMANDS = 256, CROWD_ROUNDS = 200, BLOCK = 50, SETTLED = 3 };

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void pause_for(long microseconds) {
  nanosleep(&(struct timespec){microseconds / 1000000, microseconds % 1000000 * 1000}, NULL);
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

// --- what runs under an init -----------------------------------------------------------------------

static int report(int fd) {
  long long t = now();
  return write(fd, &t, sizeof t) == sizeof t ? 0 : 1;
}

static _Noreturn void signalled(int fd) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, NULL);
  for (report(fd);; report(fd)) { // the first says that it is ready
    int n;
    sigwait(&set, &n);
  }
}

// Forks n processes whose parent is gone: their new one is PID 1. They live until `gate` is closed.
static void make_orphans(int n, pid_t *pids, int gate[2]) {
  int back[2];
  if (pipe(gate) || pipe(back)) fail("pipe");
  pid_t parent = fork();
  if (parent < 0) fail("fork");
  if (parent == 0) {
    for (int i = 0; i < n; i++) {
      pid_t pid = fork();
      if (pid < 0) fail("fork");
      if (pid == 0) {
        char c;
        close(gate[1]);
        while (read(gate[0], &c, 1) > 0) continue;
        _exit(0);
      }
      if (write(back[1], &pid, sizeof pid) != sizeof pid) fail("write");
    }
    _exit(0);
  }
  for (int i = 0; i < n; i++)
    if (read(back[0], &pids[i], sizeof pids[i]) != sizeof pids[i]) fail("read");
  waitpid(parent, NULL, 0);
  close(gate[0]), close(back[0]), close(back[1]);
}

// From the death of all to the last one's end: until then kill finds a zombie.
static long long time_reaping(int n, const pid_t *pids, int gate, long poll) {
  long long start = now();
  close(gate);
  for (int i = 0; i < n;)
    if (kill(pids[i], 0)) i++;
    else pause_for(poll);
  return now() - start;
}

static int orphans(int n) {
  pid_t *pids = calloc((size_t)n, sizeof *pids);
  int gate[2];
  make_orphans(n, pids, gate);
  printf("%lld\n", time_reaping(n, pids, gate[1], 100));
  return 0;
}

static int ascending(const void *a, const void *b) {
  long long x = *(const long long *)a, y = *(const long long *)b;
  return (x > y) - (x < y);
}

static int crowd(int n) {
  pid_t *idle = calloc((size_t)n, sizeof *idle), one;
  int gate[2], all[2];
  long long times[CROWD_ROUNDS];
  make_orphans(n, idle, all);
  for (int i = 0; i < CROWD_ROUNDS; i++) {
    make_orphans(1, &one, gate);
    times[i] = time_reaping(1, &one, gate[1], 0);
  }
  qsort(times, CROWD_ROUNDS, sizeof *times, ascending);
  printf("%lld\n", times[CROWD_ROUNDS / 2]);
  close(all[1]);
  return 0;
}

// --- what starts the inits -------------------------------------------------------------------------

static char **commands[MAX_COMMANDS];
static int count;

static pid_t start(char **command, int pipe_fds[2]) {
  if (pipe2(pipe_fds, O_CLOEXEC)) fail("pipe2");
  long pid = syscall(SYS_clone, SIGCHLD | CLONE_NEWPID, 0, 0, 0, 0);
  if (pid < 0) fail("clone (run as root, or under unshare --user --map-root-user)");
  if (pid == 0) {
    dup2(pipe_fds[1], REPORT_FD);
    prctl(PR_SET_PDEATHSIG, SIGKILL); // nothing outlives the measurement
    execv(command[0], command);
    perror(command[0]);
    _exit(127);
  }
  close(pipe_fds[1]);
  return (pid_t)pid;
}

static long long reported(int fd) {
  long long t;
  return read(fd, &t, sizeof t) == sizeof t ? t : 0;
}

static int measure_start(int rounds, const char *cold) {
  for (int round = 0; round < rounds; round++)
    for (int i = 0; i < count; i++) {
      if (strcmp(cold, "-")) {
        int file = open(commands[i][0], O_RDONLY);
        if (file < 0 || posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED)) fail(commands[i][0]);
        close(file);
      }
      int fds[2];
      long long before = now();
      pid_t pid = start(commands[i], fds);
      long long first = reported(fds[0]);
      waitpid(pid, NULL, 0);
      printf("%d %lld %lld\n", i, first ? first - before : 0, now() - before);
      close(fds[0]);
      pause_for(2000);
    }
  return 0;
}

static pid_t pids[MAX_COMMANDS];
static int reports[MAX_COMMANDS];

// Starts all, and waits until they are at rest, or longer.
static void start_all(int ready, long seconds) {
  for (int i = 0; i < count; i++) {
    int fds[2];
    pids[i] = start(commands[i], fds);
    reports[i] = fds[0];
    if (!ready) close(fds[0]);
    else if (!reported(fds[0])) fail(commands[i][0]);
  }
  pause_for(seconds * 1000000);
}

// One signal, until it has reached the command.
static long long forwarded(int i) {
  long long before = now();
  kill(pids[i], SIGUSR1);
  long long after = reported(reports[i]);
  if (!after) fail(commands[i][0]);
  return after - before;
}

static int measure_forward(int rounds, long gap, long idle) {
  start_all(1, idle);
  // In blocks, so that each finds the caches as it left them itself, and not its predecessor. The first block
  // of all, and the first signal of each, are for warmth.
  int cold = rounds == 1;
  for (int done = cold ? 0 : -BLOCK; done < rounds; done += BLOCK)
    for (int i = 0; i < count; i++)
      for (int n = cold ? 0 : -1; n < BLOCK && done + n < rounds; n++) {
        pause_for(gap);
        long long took = forwarded(i);
        if (n >= 0 && done >= 0) printf("%d %lld\n", i, took);
      }
  return 0;
}

// Nanoseconds that a process has been running (schedstats, Documentation/scheduler/sched-stats.rst).
static long long cpu_time(pid_t pid) {
  char path[64];
  long long value = 0;
  snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
  FILE *file = fopen(path, "r");
  if (!file || fscanf(file, "%lld", &value) != 1) fail(path);
  fclose(file);
  return value;
}

static int hold(int signals) {
  long long before[MAX_COMMANDS];
  char c;
  start_all(signals > 0, signals > 0 ? SETTLED : 0);
  for (int done = -BLOCK; signals > 0 && done < signals; done += BLOCK)
    for (int i = 0; i < count; i++) {
      if (done == 0) before[i] = cpu_time(pids[i]);
      for (int n = 0; n < BLOCK; n++) forwarded(i);
    }
  for (int i = 0; i < count; i++) printf("%d %d %lld\n", i, pids[i], signals > 0 ? cpu_time(pids[i]) - before[i] : 0);
  fflush(stdout);
  while (read(0, &c, 1) > 0) continue;
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  const char *what = argv[1];
  if (!strcmp(what, "first")) return report(atoi(argv[2]));
  if (!strcmp(what, "signalled")) signalled(atoi(argv[2]));
  if (!strcmp(what, "orphans")) return orphans(atoi(argv[2]));
  if (!strcmp(what, "crowd")) return crowd(atoi(argv[2]));

  for (int i = 2; i < argc; i++)
    if (!strcmp(argv[i], "+")) {
      argv[i] = NULL;
      if (count == MAX_COMMANDS) return 2;
      commands[count++] = &argv[i + 1];
    }
  if (!strcmp(what, "start")) return measure_start(atoi(argv[2]), argv[3]);
  if (!strcmp(what, "forward")) return measure_forward(atoi(argv[2]), atol(argv[3]), atol(argv[4]));
  if (!strcmp(what, "hold")) return hold(atoi(argv[2]));
  return 2;
}
