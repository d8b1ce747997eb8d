// The shapes and dtypes of what a custom call was handed.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>

#include "buffers.hpp"
#include "kernels.hpp"

namespace statewise {

// Collects the first complaint about what came.
class Check {
 public:
  explicit Check(ffi::DataType type) : type_(type) {}

  void shape(const char* name, const ffi::AnyBuffer& buffer, std::initializer_list<Index> wanted,
             bool optional = false) {
    if (optional && buffer.element_count() == 0) return;
    const auto dimensions = buffer.dimensions();
    bool equal = dimensions.size() == wanted.size();
    std::string text = "(";
    std::size_t i = 0;
    for (Index size : wanted) {
      if (equal && dimensions[i] != size) equal = false;
      text += std::to_string(size) + ", ";
      ++i;
    }
    if (!equal) fail(std::string(name) + " has the shape " + shape_of(buffer) + ", expected " +
                     text + ")");
    if (buffer.element_type() != type_) fail(std::string(name) + " has another dtype than x");
  }

  void flags(const char* name, const ffi::AnyBuffer& buffer, Index batch, Index time) {
    if (buffer.element_count() == 0) return;
    const auto dimensions = buffer.dimensions();
    if (dimensions.size() != 2 || dimensions[0] != batch || dimensions[1] != time)
      fail(std::string(name) + " has the shape " + shape_of(buffer) + ", expected (batch, time)");
    if (buffer.element_type() != ffi::DataType::PRED) fail(std::string(name) + " is not boolean");
  }

  void fail(std::string text) {
    if (text_.empty()) text_ = "statewise's native recurrence: " + std::move(text) + ".";
  }

  bool ok() const { return text_.empty(); }
  ffi::Error error() const { return ffi::Error::InvalidArgument(text_); }

 private:
  ffi::DataType type_;
  std::string text_;
};

}  // namespace statewise
