#pragma once

/// The one place where the version stands; CMake and pkg-config read it from here.
#define DMQ_VERSION_MAJOR 0
#define DMQ_VERSION_MINOR 1
#define DMQ_VERSION_PATCH 0
#define DMQ_VERSION "0.1.0"

/// The inline namespace of everything in dmq. It changes with every change of layout, so that objects built against
/// two layouts do not link into one program.
#define DMQ_ABI v0_1
