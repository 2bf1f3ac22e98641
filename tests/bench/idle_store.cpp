// Makes the store of many assets that the daemon is idle on (system.host_idle):
// idle_store STORE SLOT ASSETS

#include <cstdio>
#include <cstdlib>

#include "base/clock.h"
#include "base/env.h"
#include "bench/scale_store.h"

int main(int argc, char** argv) {
  using namespace aierase;
  if (argc != 4) {
    std::fputs("idle_store STORE SLOT ASSETS: both are new, the slot in a folder of its own\n",
               stderr);
    return 2;
  }
  PosixEnv env;
  const SystemClock clock;
  lifecycle::Store::prepare_process();
  lifecycle::StoreSettings settings = bench::settings_in(env, clock, "");
  settings.directory = argv[1];
  const auto built = bench::build_store(settings, argv[2], std::strtoull(argv[3], nullptr, 10));
  if (built.ok()) return 0;
  std::fprintf(stderr, "idle_store: %s\n", built.error().message.c_str());
  return 1;
}
