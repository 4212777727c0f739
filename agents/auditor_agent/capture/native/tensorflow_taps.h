/* Taps: tensors of a step that XLA compiles, handed out at some steps; included by tensorflow_ops.c.
 *
 * A tap is what one traced step offers: operands of a custom call, which cost nothing where they lie in
 * memory anyway. At the steps of a schedule they are copied, whole or evenly spread elements of them,
 * or reduced per unit (last axis); what was taken waits as one block of memory until it is read:
 *
 *     3 int64 (bytes of the block, step, the schedules that asked, a bit each), 5 float64 (the head),
 *     and for each operand: int64 elements taken (-1: not asked for), its shape (rank x int64), its data,
 *     padded to 8 bytes. Operands of a digest (schedule TAP_NEVER, dtype: NumPy's letter x 256 + bytes of an
 *     element, most: runs of digest.h) are in no block: at each step their digest and the first one's first
 *     extent are kept apart, the last MAX_DIGESTS of them. Units: (6, units) float64 of mean, std, min, max and the counts beyond tanh's
 *     +-0.99 and outside a sigmoid's 0.01 to 0.99; then the rows taken as float32.
 */
enum { MAX_TAPS = 256, SPEC = 5, SCHEDULES = 2, UNIT_ROWS = 6 };
enum { TAP_COPY = 0, TAP_UNITS = 1, TAP_DIGEST = 2, TAP_AHEAD = 3, TAP_NEVER = SCHEDULES, MAX_DIGESTS = 4096 };
#define TAP_LIMIT ((int64_t)64 << 20) /* bytes that may wait in one tap */

typedef struct block {
    struct block *next;
    int64_t words[]; /* the first is the block's size in bytes */
} block;

/* What a call of its own copied of one operand (TAP_AHEAD), until the step's last call puts it into a block. */
typedef struct piece {
    struct piece *next;
    int64_t step, operand, bytes, words[];
} piece;

typedef struct {
    int64_t waiting, lost, key, digested; /* read in place by Python; of the digests number i lies at i % MAX_DIGESTS */
    int64_t operands, held, offset, accumulate;
    int64_t *specs;              /* of each operand: mode, schedule, dtype, rank, most elements (or rows) to copy */
    int64_t *steps[SCHEDULES], counts[SCHEDULES], every[SCHEDULES];
    block *first, *last;
    piece *ahead;
    int64_t pieces; /* bytes of them */
    int64_t (*digests)[3];       /* step, samples, digest */
} tap;

static tap *taps[MAX_TAPS];

static tap *tap_of(int64_t key) {
    tap *t = key >= 0 ? taps[key % MAX_TAPS] : NULL;
    return t && t->key == key ? t : NULL;
}

static void tap_free(tap *t) {
    if (!t) return;
    while (t->first) {
        block *next = t->first->next;
        free(t->first);
        t->first = next;
    }
    while (t->ahead) {
        piece *next = t->ahead->next;
        free(t->ahead);
        t->ahead = next;
    }
    for (int i = 0; i < SCHEDULES; i++) free(t->steps[i]);
    free(t->specs);
    free(t->digests);
    free(t);
}

/* A tap of `operands`, specified by SPEC numbers each; its address, or NULL without memory or with too many. */
tap *auditor_tap_new(int64_t operands, const int64_t *specs) {
    if (operands < 0 || operands > MAX_TENSORS) return NULL;
    tap *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->operands = operands, t->accumulate = 1;
    t->specs = calloc((size_t)operands * SPEC + 1, sizeof *specs);
    if (t->specs) memcpy(t->specs, specs, (size_t)operands * SPEC * sizeof *specs);
    t->digests = calloc(MAX_DIGESTS, sizeof *t->digests);
    pthread_mutex_lock(&lock);
    int slot = 0;
    while (slot < MAX_TAPS && taps[slot]) slot++;
    int fits = slot < MAX_TAPS && t->specs && t->digests;
    if (fits) {
        if (!last_key) last_key = first_key();
        t->key = ++last_key * MAX_TAPS + slot;
        taps[slot] = t;
    }
    pthread_mutex_unlock(&lock);
    if (fits) return t;
    tap_free(t);
    return NULL;
}

void auditor_tap_delete(int64_t key) {
    pthread_mutex_lock(&lock);
    tap *t = tap_of(key);
    if (t) taps[key % MAX_TAPS] = NULL;
    pthread_mutex_unlock(&lock);
    tap_free(t);
}

/* What makes a step of the optimizer's count: iterations / accumulate + offset + 1, where it is complete. */
void auditor_tap_count(int64_t key, int64_t offset, int64_t accumulate) {
    pthread_mutex_lock(&lock);
    tap *t = tap_of(key);
    if (t) t->offset = offset, t->accumulate = accumulate > 0 ? accumulate : 1;
    pthread_mutex_unlock(&lock);
}

/* Take the operands of `schedule` at these steps, and at each `every`th if that is not 0. */
void auditor_tap_schedule(int64_t key, int64_t schedule, const int64_t *steps, int64_t count, int64_t every) {
    if (schedule < 0 || schedule >= SCHEDULES || count < 0) return;
    int64_t *copy = calloc((size_t)count + 1, sizeof *copy);
    if (copy) memcpy(copy, steps, (size_t)count * sizeof *copy);
    pthread_mutex_lock(&lock);
    tap *t = tap_of(key);
    if (t && copy) {
        int64_t *old = t->steps[schedule];
        t->steps[schedule] = copy, t->counts[schedule] = count, t->every[schedule] = every;
        copy = old;
    }
    pthread_mutex_unlock(&lock);
    free(copy);
}

/* The oldest block, copied to `out` if it is not larger than `room`; its size, 0 if there is none. */
int64_t auditor_tap_read(int64_t key, char *out, int64_t room) {
    pthread_mutex_lock(&lock);
    tap *t = tap_of(key);
    block *b = t ? t->first : NULL;
    int64_t size = b ? b->words[0] : 0;
    if (b && size <= room) {
        memcpy(out, b->words, (size_t)size);
        t->first = b->next;
        if (!t->first) t->last = NULL;
        t->waiting--, t->held -= size;
        free(b);
    }
    pthread_mutex_unlock(&lock);
    return size;
}

static int tap_due(const tap *t, int schedule, int64_t step) {
    if (t->every[schedule] > 0 && step % t->every[schedule] == 0) return 1;
    for (int64_t i = 0; i < t->counts[schedule]; i++)
        if (t->steps[schedule][i] == step) return 1;
    return 0;
}

static int64_t item_of(int64_t dtype) {
    switch (dtype) { /* the statistics kernel's codes; below 0: minus the bytes of an element */
        case 0: return 4;
        case 1: return 8;
        case 2:
        case 3: return 2;
        default: return -dtype;
    }
}

static float half_of(uint16_t bits) {
    uint32_t sign = (uint32_t)(bits & 0x8000) << 16, magnitude = bits & 0x7fff;
    if (magnitude >= 0x7c00) return (magnitude & 0x3ff) ? NAN : (sign ? -INFINITY : INFINITY);
    float value = ldexpf((float)((magnitude & 0x3ff) | (magnitude >= 0x400 ? 0x400 : 0)),
                         (magnitude >= 0x400 ? (int)(magnitude >> 10) : 1) - 25);
    return sign ? -value : value;
}

static float element(const void *data, int64_t dtype, int64_t at) {
    switch (dtype) {
        case 0: return ((const float *)data)[at];
        case 1: return (float)((const double *)data)[at];
        case 2: {
            uint32_t bits = (uint32_t)((const uint16_t *)data)[at] << 16;
            float value;
            memcpy(&value, &bits, 4);
            return value;
        }
        case 3: return half_of(((const uint16_t *)data)[at]);
        default: return NAN;
    }
}

/* The flat index of element `i` of the `count` that stand for `size`: as stream/recording.py's positions. */
static int64_t position(int64_t i, int64_t size, int64_t count) {
    if (count >= size) return i;
    return count < 2 ? 0 : (int64_t)((__int128)i * (size - 1) / (count - 1));
}

typedef struct {
    int64_t size, rows, units, taken, bytes;
} extent;

static extent extent_of(const int64_t *spec, const int64_t *shape) {
    extent e = {1, 0, 1, 0, 0};
    for (int64_t i = 0; i < spec[3]; i++) e.size *= shape[i];
    if (spec[0] == TAP_UNITS) {
        e.units = spec[3] ? shape[spec[3] - 1] : 1;
        e.rows = e.units ? e.size / e.units : 0;
        e.taken = e.rows < spec[4] ? e.rows : spec[4];
        e.bytes = UNIT_ROWS * 8 * e.units + 4 * e.taken * e.units;
    } else {
        e.taken = e.size < spec[4] ? e.size : spec[4];
        e.bytes = e.taken * item_of(spec[2]);
    }
    e.bytes = (e.bytes + 7) / 8 * 8;
    return e;
}

static void copy_elements(char *out, const char *data, extent e, const int64_t *spec) {
    int64_t item = item_of(spec[2]);
    if (e.taken == e.size) {
        memcpy(out, data, (size_t)(e.size * item));
        return;
    }
    for (int64_t i = 0; i < e.taken; i++)
        memcpy(out + i * item, data + position(i, e.size, e.taken) * item, (size_t)item);
}

static void reduce_units(double *table, const void *data, extent e, int64_t dtype) {
    double *sum = table, *square = table + e.units, *low = table + 2 * e.units, *high = table + 3 * e.units;
    double *tanh_ends = table + 4 * e.units, *sigmoid_ends = table + 5 * e.units;
    for (int64_t u = 0; u < e.units; u++) low[u] = INFINITY, high[u] = -INFINITY;
    for (int64_t r = 0, at = 0; r < e.rows; r++) {
        for (int64_t u = 0; u < e.units; u++, at++) {
            double x = dtype == 0 ? ((const float *)data)[at] : element(data, dtype, at);
            sum[u] += x, square[u] += x * x;
            low[u] = x < low[u] || isnan(x) ? x : low[u];
            high[u] = x > high[u] || isnan(x) ? x : high[u];
            tanh_ends[u] += x > 0.99 || x < -0.99;
            sigmoid_ends[u] += x > 0.99 || x < 0.01;
        }
    }
    for (int64_t u = 0; u < e.units && e.rows; u++) {
        double mean = sum[u] / (double)e.rows, spread = square[u] / (double)e.rows - mean * mean;
        sum[u] = mean, square[u] = sqrt(spread > 0 || isnan(spread) ? spread : 0);
    }
}

static void take_units(char *out, const void *data, extent e, int64_t dtype) {
    reduce_units((double *)out, data, e, dtype);
    float *rows = (float *)(out + UNIT_ROWS * 8 * e.units);
    for (int64_t i = 0; i < e.taken; i++)
        for (int64_t u = 0; u < e.units; u++)
            *rows++ = element(data, dtype, position(i, e.rows, e.taken) * e.units + u);
}

static const piece *piece_of(const tap *t, int64_t step, int64_t operand) {
    const piece *p = t->ahead;
    while (p && !(p->step == step && p->operand == operand)) p = p->next;
    return p;
}

/* What was copied ahead of this step's last call is in its block by now, or will never be. */
static void pieces_drop(tap *t, int64_t step) {
    for (piece **at = &t->ahead; *at;) {
        piece *p = *at;
        if (p->step != step) {
            at = &p->next;
            continue;
        }
        *at = p->next;
        t->pieces -= p->bytes;
        free(p);
    }
}

static int64_t *take_operand(int64_t *out, const tap *t, int64_t step, int64_t operand, const int64_t *shape,
                             const void *data, int asked) {
    const int64_t *spec = t->specs + operand * SPEC;
    extent e = extent_of(spec, shape);
    const piece *ahead = asked && spec[0] == TAP_AHEAD ? piece_of(t, step, operand) : NULL;
    asked = asked && (spec[0] != TAP_AHEAD || (ahead && ahead->bytes == e.bytes));
    *out++ = asked ? e.taken : -1;
    memcpy(out, shape, (size_t)spec[3] * 8);
    out += spec[3];
    if (!asked) return out;
    if (ahead) memcpy(out, ahead->words, (size_t)e.bytes);
    else if (spec[0] == TAP_UNITS) take_units((char *)out, data, e, spec[2]);
    else copy_elements((char *)out, data, e, spec);
    return out + e.bytes / 8;
}

/* The step that this iteration completes, or 0; `asked`: the schedules that want something of it, a bit each. */
static int64_t tap_step(const tap *t, const double *head, int64_t *asked) {
    int64_t iterations = (int64_t)head[0];
    *asked = 0;
    if ((iterations + 1) % t->accumulate) return 0;
    int64_t step = t->offset + iterations / t->accumulate + 1;
    for (int s = 0; s < SCHEDULES; s++) *asked |= (int64_t)tap_due(t, s, step) << s;
    return step;
}

/* Called with the lock held, as what follows. `shape`: of the operands end to end. */
static void tap_digest(tap *t, int64_t step, const int64_t *shape, const void *const *data) {
    uint64_t digest = 0;
    int64_t samples = -1;
    const int64_t *spec = t->specs;
    for (int64_t i = 0; i < t->operands; shape += spec[3], spec += SPEC, i++) {
        if (spec[0] != TAP_DIGEST) continue;
        int64_t item = spec[2] & 255, size = 1;
        for (int64_t k = 0; k < spec[3]; k++) size *= shape[k];
        digest = digest_add(digest, digest_header((uint64_t)spec[2] >> 8, item, shape, spec[3]), data[i], size, item, spec[4]);
        if (samples < 0) samples = spec[3] ? shape[0] : 1;
    }
    if (samples < 0) return;
    int64_t *place = t->digests[t->digested++ % MAX_DIGESTS];
    place[0] = step, place[1] = samples, place[2] = (int64_t)(digest & (((uint64_t)1 << 53) - 1));
}

static void tap_take(tap *t, int64_t step, int64_t asked, const double *head, const int64_t *shapes,
                     const void *const *data) {
    if (!asked) return;
    int64_t size = (3 + HEAD) * 8;
    const int64_t *shape = shapes, *spec = t->specs;
    for (int64_t i = 0; i < t->operands; i++, shape += spec[3], spec += SPEC)
        size += 8 * (1 + spec[3]) + ((asked >> spec[1]) & 1 ? extent_of(spec, shape).bytes : 0);
    block *b = t->held + size <= TAP_LIMIT ? calloc(1, sizeof *b + (size_t)size) : NULL;
    if (!b) {
        t->lost++;
        return;
    }
    int64_t *out = b->words;
    out[0] = size, out[1] = step, out[2] = asked;
    memcpy(out + 3, head, HEAD * 8);
    out += 3 + HEAD, shape = shapes, spec = t->specs;
    for (int64_t i = 0; i < t->operands; shape += spec[3], spec += SPEC, i++)
        out = take_operand(out, t, step, i, shape, data[i], (asked >> spec[1]) & 1);
    if (t->last) t->last->next = b;
    else t->first = b;
    t->last = b, t->waiting++, t->held += size;
}

/* Copy the digests [first, written), of three numbers each, to `out`, MAX_DIGESTS at most; `written` is returned. */
int64_t auditor_tap_digests(int64_t key, int64_t first, int64_t *out) {
    pthread_mutex_lock(&lock);
    tap *t = tap_of(key);
    int64_t written = t ? t->digested : 0;
    if (first < written - MAX_DIGESTS) first = written - MAX_DIGESTS;
    for (int64_t i = first; i < written; i++, out += 3) memcpy(out, t->digests[i % MAX_DIGESTS], sizeof *t->digests);
    pthread_mutex_unlock(&lock);
    return written;
}

/* The custom call: void (out, in, opaque, opaque_len, status), the key as decimal opaque; `in`: the head, the
 * shapes end to end, the operands. */
static void xla_tap(int64_t *out, const void **in, const char *opaque, size_t length, void *status) {
    (void)status;
    pthread_mutex_lock(&lock);
    tap *t = tap_of(key_of(opaque, length));
    int64_t asked = 0, step = t ? tap_step(t, in[0], &asked) : 0;
    if (step) {
        tap_digest(t, step, in[1], in + 2);
        tap_take(t, step, asked, in[0], in[1], in + 2);
        pieces_drop(t, step);
    }
    *out = t ? t->waiting : 0;
    pthread_mutex_unlock(&lock);
}

/* The custom call that copies one operand where the step wants it, opaque "key operand"; `in`: the iterations, its
 * shape, the operand. The tap's own call is given the result in the operand's place, and so comes after. */
static void xla_tap_ahead(int64_t *out, const void **in, const char *opaque, size_t length, void *status) {
    (void)status;
    size_t at = 0;
    int64_t key = number_of(opaque, length, &at), operand = number_of(opaque, length, &at), asked = 0;
    *out = 0;
    pthread_mutex_lock(&lock);
    tap *t = tap_of(key);
    int64_t step = t && operand < t->operands ? tap_step(t, in[0], &asked) : 0;
    const int64_t *spec = step ? t->specs + operand * SPEC : NULL;
    if (spec && ((asked >> spec[1]) & 1)) {
        extent e = extent_of(spec, in[1]);
        piece *p = t->pieces + e.bytes <= TAP_LIMIT ? calloc(1, sizeof *p + (size_t)e.bytes) : NULL;
        if (p) {
            p->step = step, p->operand = operand, p->bytes = e.bytes;
            copy_elements((char *)p->words, in[2], e, spec);
            p->next = t->ahead, t->ahead = p, t->pieces += e.bytes;
        } else {
            t->lost++;
        }
    }
    pthread_mutex_unlock(&lock);
}
