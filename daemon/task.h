// A move-only callable: what travels between the threads may own keys, descriptors and replies.
//
// Contract: empty until assigned; calling an empty task is a programming error.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace aierase::daemon {

template <typename Signature>
class Task;

template <typename R, typename... A>
class Task<R(A...)> {
 public:
  Task() = default;
  template <typename F, typename = std::enable_if_t<!std::is_same_v<std::decay_t<F>, Task>>>
  Task(F&& callable)  // NOLINT: implicit by design, as std::function is
      : body_(std::make_unique<Body<std::decay_t<F>>>(std::forward<F>(callable))) {}

  explicit operator bool() const { return body_ != nullptr; }
  R operator()(A... arguments) { return body_->run(std::forward<A>(arguments)...); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual R run(A... arguments) = 0;
  };
  template <typename F>
  struct Body final : Base {
    template <typename G>
    explicit Body(G&& given) : callable(std::forward<G>(given)) {}
    R run(A... arguments) override { return callable(std::forward<A>(arguments)...); }
    F callable;
  };
  std::unique_ptr<Base> body_;
};

}  // namespace aierase::daemon
