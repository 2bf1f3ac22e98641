// A real TPM 2.0 in software (swtpm), with somebody in between who listens, refuses and kills.
//
// Contract: one SoftwareTpm is one chip on one machine. It is running after the constructor; its
// memory lies in a directory of its own and outlives kill(), as NV memory does. Orders to the
// interposer hold until the next forget(). A failure to run it fails the test.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/unique_fd.h"
#include "rootslot/tpm2.h"

namespace aierase::test {

// TPM 2.0 Library, part 2, table 12.
enum class Tpm : std::uint32_t {
  nv_undefine = 0x122,
  clear = 0x126,
  nv_define = 0x12A,
  create_primary = 0x131,
  nv_increment = 0x134,
  nv_write = 0x137,
  nv_read = 0x14E,
  flush_context = 0x165,
  start_session = 0x176,
  nv_certify = 0x184,
};

class SoftwareTpm {
 public:
  SoftwareTpm();
  ~SoftwareTpm();
  SoftwareTpm(const SoftwareTpm&) = delete;
  SoftwareTpm& operator=(const SoftwareTpm&) = delete;

  std::string tcti() const { return "swtpm:path=" + directory_ + "/asked"; }
  rootslot::Tpm2Settings settings() const { return {tcti(), std::chrono::milliseconds(60)}; }
  void start();
  void kill();  // SIGKILL; the memory stays

  // The NV memory as it is, and put back, as the host of a virtual TPM can.
  Bytes memory() const;
  void put_back(const Bytes& memory);

  // ---- orders --------------------------------------------------------------------------------
  // At the n-th command that changes NV memory or reads it: killed before the TPM has seen it, or
  // before its answer has left.
  enum class When { before, after };
  void kill_at(std::size_t n, When when);
  bool was_killed() const { return killed_; }
  // That command is answered so, and never reaches the TPM; the first `passing` of them do.
  void refuse(Tpm command, std::uint32_t code, std::size_t passing = 0);
  // From here on the attestation key is another one on its way to us, with a name that fits.
  void exchange_attestation_key();
  // The TPM carries that command out, and somebody else answers with this.
  void belie(Tpm command, std::uint32_t code);
  // That command never reaches the TPM, and is answered so; deliver() passes the first of them on,
  // whatever has happened since. Until then no session ends.
  void keep_back(Tpm command, std::uint32_t code);
  std::uint32_t deliver();  // the TPM's answer
  // Runs each time when the TPM has carried that command out, before its answer leaves.
  void when_done(Tpm command, std::function<void()> act);
  void forget();
  std::size_t count(Tpm command) const;

  // Everything that went over the bus, both ways.
  Bytes overheard() const;

  // As another program beside us: tpm2-tools, straight to the chip. Whether it succeeded.
  bool tool(const std::string& command);

 private:
  void serve();
  bool relay(int client);
  std::optional<Bytes> judge(const Bytes& command);  // an answer of the interposer's own
  void exchange(const Bytes& command, Bytes& answer);

  std::string directory_;
  UniqueFd listener_, stop_reader_, stop_writer_;
  std::atomic<int> pid_{-1};
  std::thread thread_;
  mutable std::mutex mutex_;
  struct Refusal {
    std::uint32_t code = 0;
    std::size_t passing = 0;
  };
  std::map<std::uint32_t, Refusal> refusals_;
  std::map<std::uint32_t, std::uint32_t> lies_;
  std::map<std::uint32_t, std::function<void()>> acts_;
  std::optional<std::uint32_t> kept_code_;
  Bytes kept_;
  std::map<std::uint32_t, std::size_t> counts_;
  std::size_t nv_commands_ = 0;
  std::optional<std::pair<std::size_t, When>> kill_at_;
  bool exchange_ = false;
  Bytes overheard_;
  std::atomic<bool> killed_{false};
};

}  // namespace aierase::test
