/* The version, as it stands in bundles and in requests. */
#pragma once

#define SEALIFT_VERSION "0.1.0"
#define SEALIFT_TOOL "sealift/" SEALIFT_VERSION
