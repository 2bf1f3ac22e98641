#include "ctl/progress.h"

#include <unistd.h>

#include "ctl/render.h"

namespace aierase::ctl {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};
constexpr std::chrono::milliseconds kStill{500};  // no bytes for so long: the last step has begun

std::string span_text(std::uint64_t seconds) {
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3600) {
    return std::to_string(seconds / 60) + " min " + std::to_string(seconds % 60) + " s";
  }
  return std::to_string(seconds / 3600) + " h " + std::to_string(seconds % 3600 / 60) + " min";
}

void to_terminal(const std::string& text) {
  if (write(STDERR_FILENO, text.data(), text.size()) < 0) {
    // Progress is a courtesy: a terminal that went away changes nothing.
  }
}

}  // namespace

std::string progress_text(std::uint64_t done, std::uint64_t total,
                          std::chrono::milliseconds spent) {
  std::string text = human_bytes(done);
  if (total > 0) {
    const double share = static_cast<double>(done) / static_cast<double>(total) * 100;
    text += " of " + human_bytes(total) + ", " +
            std::to_string(share > 100 ? 100 : static_cast<int>(share)) + " %";
  }
  if (spent.count() < 500 || done == 0) return text;
  const double rate = static_cast<double>(done) * 1000 / static_cast<double>(spent.count());
  text += ", " + human_bytes(static_cast<std::uint64_t>(rate)) + "/s";
  if (total > done && rate >= 1) {
    const double left = static_cast<double>(total - done) / rate;
    text += ", " + span_text(static_cast<std::uint64_t>(left) + 1) + " left";
  }
  return text;
}

std::string last_step_text(std::uint64_t done, const std::string& doing,
                           std::chrono::milliseconds spent) {
  std::string text = (done > 0 ? human_bytes(done) + "; " : std::string()) + doing;
  if (spent.count() < 1000) return text;
  return text + ", " + span_text(static_cast<std::uint64_t>(spent.count()) / 1000);
}

Progress::Progress(const Output& out, std::string what, std::uint64_t total)
    : shown_(out.for_people() && !out.quiet() && is_terminal(STDERR_FILENO)),
      what_(std::move(what)),
      total_(total) {}

Progress::~Progress() {
  if (drawn_) to_terminal("\r\x1b[K");
}

void Progress::update(std::uint64_t done) {
  const Ticks::time_point now = Ticks::now();
  if (done != seen_) moved_ = now;
  seen_ = done;
  if (!shown_ || now - last_ < kRedraw) return;
  const auto since = [now](Ticks::time_point then) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now - then);
  };
  const bool all_there = total_ > 0 ? done >= total_ : since(moved_) >= kStill;
  draw(!doing_.empty() && all_there ? last_step_text(done, doing_, since(moved_))
                                    : progress_text(done, total_, since(start_)),
       now);
}

void Progress::all_sent(std::string doing) {
  doing_ = std::move(doing);
}

void Progress::say(const std::string& doing) {
  if (shown_) draw(doing, Ticks::now());
}

void Progress::draw(const std::string& text, Ticks::time_point now) {
  last_ = now;
  drawn_ = true;
  to_terminal("\r" + what_ + ": " + text + "\x1b[K");
}

}  // namespace aierase::ctl
