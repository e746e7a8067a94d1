// Memory that is used again: workspaces of the kernels and large results.
//
// A page of fresh memory costs more to touch for the first time than a kernel needs to fill it. Blocks that
// come back are kept, up to a limit, and handed out again.
#pragma once

#include <cstddef>

namespace throughtime {

// A block aligned to 64 bytes, contents arbitrary; back to the stock when it goes out of scope.
class Block {
  public:
    explicit Block(std::size_t bytes);  // throws std::bad_alloc
    ~Block();
    Block(Block&& other) noexcept;
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
    Block& operator=(Block&&) = delete;

    void* data() const { return data_; }
    std::size_t size() const { return asked_; }

  private:
    void* data_;
    std::size_t asked_, capacity_;
};

// Bytes kept for later, the most that may be kept, and giving everything back.
std::size_t kept_bytes();
void keep_at_most(std::size_t bytes);
void release_kept();

// For tests: fill every block handed out with bytes that read as NaN.
void poison_blocks(bool on);

}  // namespace throughtime
