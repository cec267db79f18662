// An optional value that takes no room where there is none: for what few files have.
#pragma once

#include <memory>
#include <utility>

namespace torchdicom {

/// Like std::optional, and copied like one, with the value on the heap.
template <typename T> class Boxed {
  public:
    Boxed() = default;
    // A value is given as to an optional, without naming the box.
    Boxed(T value) : value_{std::make_unique<T>(std::move(value))} {} // NOLINT(*-explicit-*)
    Boxed(const Boxed& other) : value_{other ? std::make_unique<T>(*other) : nullptr} {}
    Boxed(Boxed&&) noexcept = default;
    ~Boxed() = default;
    Boxed& operator=(const Boxed& other) {
        if (this != &other) {
            *this = Boxed{other};
        }
        return *this;
    }
    Boxed& operator=(Boxed&&) noexcept = default;

    T& emplace() {
        value_ = std::make_unique<T>();
        return *value_;
    }

    [[nodiscard]] explicit operator bool() const noexcept { return value_ != nullptr; }
    [[nodiscard]] T& operator*() noexcept { return *value_; }
    [[nodiscard]] const T& operator*() const noexcept { return *value_; }
    [[nodiscard]] T* operator->() noexcept { return value_.get(); }
    [[nodiscard]] const T* operator->() const noexcept { return value_.get(); }

  private:
    std::unique_ptr<T> value_;
};

} // namespace torchdicom
