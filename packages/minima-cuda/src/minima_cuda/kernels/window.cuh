// Windows that slide over the planes of images.
#include "access.cuh"

// Along y and x each: the size of the image, how many windows there are, and how they lie.
struct Window {
  Int32 size[2], count[2], kernel[2], stride[2], padding[2], dilation[2];

  DEVICE Index elements() const { return Index(size[0]) * size[1]; }
  DEVICE Index windows() const { return Index(count[0]) * count[1]; }
  DEVICE Int32 taps() const { return kernel[0] * kernel[1]; }  // places in a window
  // Where along *axis* the element lies that place *tap* of window *number* sees; maybe outside.
  DEVICE Int32 seen(int axis, Int32 number, Int32 tap) const {
    return number * stride[axis] - padding[axis] + tap * dilation[axis];
  }
  // The number of the window whose place *tap* sees element *at*; -1 if there is none.
  DEVICE Int32 seer(int axis, Int32 at, Int32 tap) const {
    const Int32 start = at + padding[axis] - tap * dilation[axis];
    if (start < 0 || start % stride[axis]) return -1;
    const Int32 number = start / stride[axis];
    return number < count[axis] ? number : -1;
  }
  DEVICE bool inside(Int32 y, Int32 x) const {
    return UInt32(y) < UInt32(size[0]) && UInt32(x) < UInt32(size[1]);
  }
  DEVICE bool is_window(Int32 y, Int32 x) const {
    return UInt32(y) < UInt32(count[0]) && UInt32(x) < UInt32(count[1]);
  }
};

// A place in one of many planes of *height* x *width*, from its number.
struct Place {
  Index plane;
  Int32 y, x;
};

DEVICE Place place_of(Index number, Int32 height, Int32 width) {
  const Index row = quotient(number, width), plane = quotient(row, height);
  return {plane, Int32(row - plane * height), Int32(number - row * width)};
}
