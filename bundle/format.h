/*
 * The bundle, version 1: one canonical ustar file that is an OCI image layout and a docker
 * archive at the same time.
 *
 *   offset 0   header  bundle/inventory.json      the signed bytes, <= INVENTORY_MAX
 *              data    one line of ASCII JSON
 *   then       signature area, exactly SIGNATURE_AREA bytes, headers and padding included:
 *              bundle/sig/<kid>.sig …  sorted;  bundle/pad  zero fill
 *   then       every member that the inventory lists, in its order:
 *              README-VERIFY.txt  SHA256SUMS  oci-layout  index.json  manifest.json
 *              release document, manifests, indexes, configs, charts   blobs/sha256/<hex>
 *              layers, then files                                      blobs/sha256/<hex>
 *   then       TRAILER zero bytes, and the end of the file
 *
 * Each member is a 512-byte header, its data, and zero bytes up to a multiple of 512.  A reader
 * makes every header anew from the inventory and compares: nothing in a header is ever parsed,
 * but name and size in the signature area.
 */
#pragma once

enum {
	TAR_BLOCK = 512,
	TRAILER = 1024,
	SIGNATURE_AREA = 32768,
	SIGNATURE_MAX = 8192,
	INVENTORY_MAX = 8 * 1024 * 1024,
	MEMBERS_MAX = 16384,
	SMALL_MEMBER_MAX = 8 * 1024 * 1024,
};

#define INVENTORY_TYPE "https://sealift/bundle/v1"
#define INVENTORY_NAME "bundle/inventory.json"
