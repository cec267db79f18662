// What a Loader needs beside the loads: memory for its batches, and the end of loads that nobody
// waits for any more.

#include "bind/bindings.hpp"

#include <atomic>
#include <memory>
#include <stdexcept>

namespace torchdicom::bind {

namespace {

/// Told by one thread, looked at by the calls of others.
class Stop {
  public:
    void tell() noexcept { is_told_.store(true, std::memory_order_relaxed); }
    [[nodiscard]] bool is_told() const noexcept { return is_told_.load(std::memory_order_relaxed); }

  private:
    std::atomic<bool> is_told_{false};
};

std::shared_ptr<Stop>& stop_of_thread() {
    thread_local std::shared_ptr<Stop> stop;
    return stop;
}

/// The calls of this thread end early once `stop` is told; none: only after Ctrl-C.
void heed(std::shared_ptr<Stop> stop) { stop_of_thread() = std::move(stop); }

/// Bytes of the pool's memory, contents undefined.
py::array allocate(std::size_t bytes) { return to_byte_array(Buffer{bytes}); }

} // namespace

StopCheck stop_check_of_thread() {
    return [stop = stop_of_thread()] {
        if (stop && stop->is_told()) {
            throw std::runtime_error{"the call was stopped: nobody waits for its result"};
        }
    };
}

void register_memory(py::module_& module) {
    // An ordinary class, for the checks of the stubs: there are no static properties in it.
    py::class_<Stop, std::shared_ptr<Stop>>(
        module, "Stop", py::is_final{}, py::metaclass{py::module_::import("builtins").attr("type")})
        .def(py::init<>())
        .def("tell", &Stop::tell)
        .def("is_told", &Stop::is_told);
    module.def("heed", &heed, py::arg("stop").none(true));
    module.def("allocate", &allocate, py::arg("nbytes"));
}

} // namespace torchdicom::bind
