#include <cstdio>
#include <cstdlib>
namespace shapes {
template <typename T> struct Box { T side; __attribute__((noinline)) T area() const; };
template <typename T> __attribute__((noinline)) T Box<T>::area() const { return side * side; }
__attribute__((noinline)) int sum(int count, Box<int> *boxes) {
  auto one = [&](int n) __attribute__((noinline)) { return boxes[n].area(); };
  int total = 0;
  for (int n = 0; n < count; n++) total += one(n);
  return total;
}
__attribute__((noinline)) double sum(double side) { return Box<double>{side}.area(); }
}
static __attribute__((noinline)) int shout(const char *text) { return std::puts(text); }
int main(int argc, char **argv) {
  shapes::Box<int> boxes[2] = {{argc}, {3}};
  std::printf("%d %f\n", shapes::sum(2, boxes), shapes::sum(argc * 1.5));
  shout(argv[0]);
  std::exit(shapes::sum(argc, boxes) == 0);
}
