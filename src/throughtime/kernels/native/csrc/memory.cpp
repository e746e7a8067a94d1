#include "memory.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>
#include <tuple>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif
#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace throughtime {
namespace {

constexpr std::size_t small_page = 4096;
constexpr std::size_t huge_page = std::size_t(2) << 20;

std::size_t capacity_for(std::size_t bytes) {
    const std::size_t unit = bytes >= huge_page ? huge_page : small_page;
    return (std::max<std::size_t>(bytes, 1) + unit - 1) / unit * unit;
}

void* allocate(std::size_t capacity) {
    const bool large = capacity >= huge_page;
    void* data = ::operator new(capacity, std::align_val_t(large ? huge_page : small_page));
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (large) madvise(data, capacity, MADV_HUGEPAGE);
#endif
    return data;
}

void free_block(void* data, std::size_t capacity) {
    ::operator delete(data, std::align_val_t(capacity >= huge_page ? huge_page : small_page));
}

// The blocks that are kept. Never destroyed: a tensor may give its memory back while the process ends.
struct Stock {
    std::mutex mutex;
    std::vector<std::pair<std::size_t, void*>> blocks;  // capacity, address; the longest kept first
    std::size_t kept = 0;
    std::size_t limit = std::size_t(1) << 30;
    bool poison = false;
};

Stock& stock() {
    static Stock* one = [] {
        Stock* made = new Stock;
#if !defined(_WIN32)
        static Stock* forked = made;
        pthread_atfork([] { forked->mutex.lock(); }, [] { forked->mutex.unlock(); }, [] { forked->mutex.unlock(); });
#endif
        return made;
    }();
    return *one;
}

void shrink(Stock& s, std::size_t to) {
    while (s.kept > to && !s.blocks.empty()) {
        const auto [capacity, data] = s.blocks.front();
        s.blocks.erase(s.blocks.begin());
        s.kept -= capacity;
        free_block(data, capacity);
    }
}

}  // namespace

Block::Block(std::size_t bytes) : data_(nullptr), asked_(bytes), capacity_(capacity_for(bytes)) {
    Stock& s = stock();
    {
        const std::lock_guard<std::mutex> lock(s.mutex);
        auto best = s.blocks.end();
        for (auto at = s.blocks.begin(); at != s.blocks.end(); ++at)
            if (at->first >= capacity_ && at->first <= 2 * capacity_ && (best == s.blocks.end() || at->first <= best->first))
                best = at;
        if (best != s.blocks.end()) {
            std::tie(capacity_, data_) = *best;
            s.kept -= capacity_;
            s.blocks.erase(best);
        }
    }
    if (!data_) data_ = allocate(capacity_);
    if (s.poison) std::memset(data_, 0xff, capacity_);
}

Block::Block(Block&& other) noexcept : data_(other.data_), asked_(other.asked_), capacity_(other.capacity_) {
    other.data_ = nullptr;
}

Block::~Block() {
    if (!data_) return;
    Stock& s = stock();
    const std::lock_guard<std::mutex> lock(s.mutex);
    if (capacity_ > s.limit) {
        free_block(data_, capacity_);
        return;
    }
    s.blocks.emplace_back(capacity_, data_);
    s.kept += capacity_;
    shrink(s, s.limit);
}

std::size_t kept_bytes() {
    Stock& s = stock();
    const std::lock_guard<std::mutex> lock(s.mutex);
    return s.kept;
}

void keep_at_most(std::size_t bytes) {
    Stock& s = stock();
    const std::lock_guard<std::mutex> lock(s.mutex);
    s.limit = bytes;
    shrink(s, bytes);
}

void release_kept() {
    Stock& s = stock();
    const std::lock_guard<std::mutex> lock(s.mutex);
    shrink(s, 0);
}

void poison_blocks(bool on) { stock().poison = on; }

}  // namespace throughtime
