// Errors as values: Result<T> holds either a T or an Error, Status holds success or an Error.
//
// Contract: nothing here throws. value() on a failed Result is a programming error and aborts.
// An Error carries a sentence for people (what was wrong, where), a hint (what to do next) and a
// subject (the id or path concerned); the code decides D-Bus error name and exit code (errc.h).
#pragma once

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/errc.h"

namespace aierase {

struct Error {
  Errc code = Errc::unexpected;
  std::string message;
  std::string hint;
  std::string subject;

  // "cannot read the slot: Input/output error" from "Input/output error".
  [[nodiscard]] Error in(std::string_view context) && {
    message = std::string(context) + ": " + message;
    return std::move(*this);
  }
  [[nodiscard]] Error with_hint(std::string text) && {
    hint = std::move(text);
    return std::move(*this);
  }
  [[nodiscard]] Error about(std::string text) && {
    subject = std::move(text);
    return std::move(*this);
  }
};

inline Error make_error(Errc code, std::string message, std::string hint = {},
                        std::string subject = {}) {
  return Error{code, std::move(message), std::move(hint), std::move(subject)};
}

// An Error from an errno value: ENOSPC and EDQUOT become no_space, ENOENT not_found, EACCES and
// EPERM access_denied, all else io. `what` says what was tried and on what.
Error errno_error(int errno_value, std::string what);

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit by design
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  T& value() & {
    if (!ok()) std::abort();
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    if (!ok()) std::abort();
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    if (!ok()) std::abort();
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() & {
    if (ok()) std::abort();
    return *std::get_if<1>(&state_);
  }
  const Error& error() const& {
    if (ok()) std::abort();
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    if (ok()) std::abort();
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}  // NOLINT: implicit by design

  bool ok() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return ok(); }
  Error& error() & {
    if (ok()) std::abort();
    return *error_;
  }
  const Error& error() const& {
    if (ok()) std::abort();
    return *error_;
  }
  Error&& error() && {
    if (ok()) std::abort();
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

}  // namespace aierase

#define AIERASE_CONCAT_(a, b) a##b
#define AIERASE_CONCAT(a, b) AIERASE_CONCAT_(a, b)

// RETURN_IF_ERROR(status_or_result_expression);
// Names are counted, so that an expression may be a call with a lambda that uses the macro again.
#define RETURN_IF_ERROR(expression) \
  RETURN_IF_ERROR_(AIERASE_CONCAT(return_if_error_, __COUNTER__), expression)
#define RETURN_IF_ERROR_(temporary, expression)               \
  do {                                                        \
    auto temporary = (expression);                            \
    if (!temporary.ok()) return std::move(temporary).error(); \
  } while (false)

// ASSIGN_OR_RETURN(auto value, result_expression);
#define ASSIGN_OR_RETURN(declaration, expression) \
  ASSIGN_OR_RETURN_(AIERASE_CONCAT(assign_or_return_, __COUNTER__), declaration, expression)
#define ASSIGN_OR_RETURN_(temporary, declaration, expression) \
  auto temporary = (expression);                              \
  if (!temporary.ok()) return std::move(temporary).error();   \
  declaration = std::move(temporary).value()
