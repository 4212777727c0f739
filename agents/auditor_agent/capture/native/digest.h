/* A checksum over a tensor's kind, shape and a spread sample of it; capture/batches.py says the same in NumPy.
 *
 * Of a tensor larger than `runs` x DIGEST_RUN bytes, `runs` evenly spread runs of DIGEST_RUN bytes are looked at:
 * each is a line or two of a cache, where single elements would be one each.
 */
enum { DIGEST_RUN = 64, DIGEST_RUNS = 64 };
#define DIGEST_STEP 0x9e3779b97f4a7c15u

/* splitmix64's finaliser (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). */
static inline uint64_t digest_mix(uint64_t z) {
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* What a tensor is, whatever its values: `kind` is NumPy's letter, `item` the bytes of an element. */
static inline uint64_t digest_header(uint64_t kind, int64_t item, const int64_t *shape, int64_t rank) {
    uint64_t h = digest_mix(digest_mix(kind) + (uint64_t)item);
    for (int64_t i = 0; i < rank; i++) h = digest_mix(h + DIGEST_STEP + (uint64_t)shape[i]);
    return h;
}

/* `before`: of the tensors before it; `data`: `size` elements of `item` (1 to 64) bytes, in C's order. */
static inline uint64_t digest_add(uint64_t before, uint64_t header, const char *data, int64_t size, int64_t item, int64_t runs) {
    uint64_t words[DIGEST_RUNS * DIGEST_RUN / 8];
    int64_t run = DIGEST_RUN / item, whole = size * item, room;
    if (runs > DIGEST_RUNS) runs = DIGEST_RUNS;
    room = runs * run * item;
    int64_t filled = whole <= room ? whole : room, count = (filled + 7) / 8;
    if (count) words[count - 1] = 0; /* what is no whole word ends with zeros */
    if (whole <= room) {
        memcpy(words, data, (size_t)filled);
    } else {
        for (int64_t i = 0; i < runs; i++) {
            int64_t at = runs > 1 ? (int64_t)((__int128)i * (size - run) / (runs - 1)) : 0;
            memcpy((char *)words + i * run * item, data + at * item, (size_t)(run * item));
        }
    }
    uint64_t sum = 0;
    for (int64_t i = 0; i < count; i++) sum += digest_mix(words[i] + (uint64_t)(i + 1) * DIGEST_STEP);
    return digest_mix(digest_mix(before + header) + sum);
}
