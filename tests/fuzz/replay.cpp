// Stands in for libFuzzer in every other build: runs one target over the files of folders.
#include "targets/fuzz.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_of(const char* folder) {
    std::vector<fs::path> files;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator{folder, error}) {
        files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

bool run(const fs::path& path) {
    std::ifstream file{path, std::ios::binary};
    const std::vector<char> text{std::istreambuf_iterator<char>{file}, {}};
    if (!file) {
        return false;
    }
    const std::vector<std::uint8_t> bytes(text.begin(), text.end());
    // Said first, so that a crash has a name.
    static_cast<void>(std::fprintf(stderr, "%s\n", path.c_str()));
    return LLVMFuzzerTestOneInput(bytes.data(), bytes.size()) == 0;
}

} // namespace

int main(int count, char** arguments) {
    const std::vector<const char*> folders(arguments + 1, arguments + count);
    bool is_fine = !folders.empty();
    for (const char* const folder : folders) {
        const std::vector<fs::path> files = files_of(folder);
        if (files.empty()) {
            static_cast<void>(std::fprintf(stderr, "%s is empty or not there\n", folder));
            is_fine = false;
        }
        is_fine = std::all_of(files.begin(), files.end(), run) && is_fine;
    }
    return is_fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
