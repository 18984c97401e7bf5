# Included by CMake right after llama.cpp's project() call: only the library is built, none of its tools.
set(LLAMA_BUILD_COMMON OFF)
