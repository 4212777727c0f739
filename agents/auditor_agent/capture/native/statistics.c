/* The twelve statistics of many tensors in one pass over memory.
 *
 * Plain C11 and pthreads: no Python, no framework, no OpenMP (a second OpenMP runtime in a torch
 * process fights the first one for cores, and libgomp's pool does not survive a fork).
 *
 * A tensor is cut into tasks of TASK elements, a task into chunks of CHUNK elements that stay in
 * the L1 cache. A chunk is read once from memory; its sums run in 32 float lanes and are added up
 * in double. Where a chunk's variance cannot be trusted from its sums (the mean dominates), the
 * chunk is read once more, from L1, around its mean. Chunks and tasks merge by Chan's formula in a
 * fixed order: the result does not depend on the number of threads.
 *
 * Non-finite values, and magnitudes whose squares leave float32, send the chunk down an exact
 * scalar path in double. Results describe the finite values (see auditor_agent/statistics.py).
 */
#define _GNU_SOURCE
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "digest.h"

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__)
#include <immintrin.h>
#define VECTORS
/* By features: "arch=" would ask for that very processor, and leave every other maker's at SSE2. */
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CLONES
#endif

enum { F32 = 0, F64 = 1, BF16 = 2, F16 = 3 };
enum { CHUNK = 4096, TASK = 1 << 16, LANES = 32, BINS = 64, WORDS = 12, MAX_THREADS = 64 };
/* Histogram bin of |x|: its exponent minus that of 2^-40, clamped to 0..63; bin 0 also holds zeros
 * and everything below 2^-40, bin 63 everything from 2^23 up, infinities included; NaN is in none
 * (auditor_agent/histogram.py). FIRST_EXPONENT: 2^-40's as a float has it, WIDE_FIRST: as a double. */
enum { FIRST_EXPONENT = 127 - 40, WIDE_FIRST = 1023 - 40 };

typedef struct {
    double sum, sumsq, mean, m2; /* m2: sum of squared deviations from the mean */
    double min, max;
    int64_t count, finite, nan, inf, zeros;
    uint32_t *bins; /* 64 counters, or NULL */
} part;

static void part_init(part *p, uint32_t *bins) {
    memset(p, 0, sizeof *p);
    p->min = INFINITY;
    p->max = -INFINITY;
    p->bins = bins;
}

static inline uint32_t add_saturating(uint32_t a, uint32_t b) { return a + b < a ? UINT32_MAX : a + b; }

static void part_merge(part *into, const part *from) {
    if (from->finite) {
        double n = (double)(into->finite + from->finite), delta = from->mean - into->mean;
        into->m2 += from->m2 + delta * delta * ((double)into->finite * (double)from->finite / n);
        into->mean += delta * ((double)from->finite / n);
        if (from->min < into->min) into->min = from->min;
        if (from->max > into->max) into->max = from->max;
    }
    into->sum += from->sum;
    into->sumsq += from->sumsq;
    into->count += from->count;
    into->finite += from->finite;
    into->nan += from->nan;
    into->inf += from->inf;
    into->zeros += from->zeros;
    if (into->bins && from->bins)
        for (int b = 0; b < BINS; b++) into->bins[b] = add_saturating(into->bins[b], from->bins[b]);
}

/* ---- reading one element exactly ---------------------------------------------------------- */

static inline float bits_to_float(uint32_t u) {
    float f;
    memcpy(&f, &u, 4);
    return f;
}

static inline uint32_t float_to_bits(float f) {
    uint32_t u;
    memcpy(&u, &f, 4);
    return u;
}

static inline float half_to_float(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16, body = h & 0x7fffu;
    if (body >= 0x7c00u) return bits_to_float(sign | 0x7f800000u | (body & 0x3ffu) << 13);
    /* Exponent moved by multiplication: 2^112 also normalises half's denormals. */
    float magnitude = bits_to_float(body << 13) * 0x1p112f;
    return bits_to_float(sign | float_to_bits(magnitude));
}

static inline int bin_of(double magnitude) {
    if (!(magnitude >= 0x1p-40)) return 0;
    if (magnitude >= 0x1p23) return BINS - 1;
    int e;
    frexp(magnitude, &e); /* magnitude = m * 2^e with m in [0.5, 1) */
    return e - 1 + 40;
}

static inline void part_add_exact(part *p, double x) {
    p->count++;
    if (isnan(x)) {
        p->nan++;
        return;
    }
    if (p->bins) p->bins[isinf(x) ? BINS - 1 : bin_of(fabs(x))]++;
    if (isinf(x)) {
        p->inf++;
        return;
    }
    if (x == 0) p->zeros++;
    double delta = x - p->mean;
    p->finite++;
    p->mean += delta / (double)p->finite;
    p->m2 += delta * (x - p->mean);
    p->sum += x;
    p->sumsq += x * x;
    if (x < p->min) p->min = x;
    if (x > p->max) p->max = x;
}

static __attribute__((noinline)) void chunk_exact_f32(const float *x, int64_t n, part *p) {
    for (int64_t i = 0; i < n; i++) part_add_exact(p, (double)x[i]);
}

static __attribute__((noinline)) void chunk_exact_f64(const double *x, int64_t n, part *p) {
    for (int64_t i = 0; i < n; i++) part_add_exact(p, x[i]);
}

/* ---- fast chunks: lanes the compiler turns into vectors ------------------------------------ */

typedef struct {
    double sum, sumsq;
    float min, max;
    int64_t zeros;
} sums;

CLONES static void lanes_f32(const float *restrict x, int64_t n, sums *out) {
    float s[LANES] = {0}, q[LANES] = {0}, lo[LANES], hi[LANES];
    int32_t z[LANES] = {0};
    for (int l = 0; l < LANES; l++) {
        lo[l] = INFINITY;
        hi[l] = -INFINITY;
    }
    for (int64_t i = 0; i < n; i += LANES) {
        __builtin_prefetch(x + i + 1024);
        __builtin_prefetch(x + i + 1040);
        for (int l = 0; l < LANES; l++) {
            float v = x[i + l];
            s[l] += v;
            q[l] += v * v;
            lo[l] = v < lo[l] ? v : lo[l];
            hi[l] = v > hi[l] ? v : hi[l];
            z[l] += v == 0.0f;
        }
    }
    out->sum = out->sumsq = 0;
    out->min = INFINITY;
    out->max = -INFINITY;
    out->zeros = 0;
    for (int l = 0; l < LANES; l++) {
        out->sum += (double)s[l];
        out->sumsq += (double)q[l];
        if (lo[l] < out->min) out->min = lo[l];
        if (hi[l] > out->max) out->max = hi[l];
        out->zeros += z[l];
    }
}

/* Sum of x - mean and of its square: small numbers, so single precision does them justice. */
CLONES static void around(const float *restrict x, int64_t n, float mean, double *sum, double *sumsq) {
    float s[LANES] = {0}, q[LANES] = {0};
    for (int64_t i = 0; i < n; i += LANES)
        for (int l = 0; l < LANES; l++) {
            float d = x[i + l] - mean;
            s[l] += d;
            q[l] += d * d;
        }
    *sum = *sumsq = 0;
    for (int l = 0; l < LANES; l++) {
        *sum += (double)s[l];
        *sumsq += (double)q[l];
    }
}

/* The bin of each of n floats (n a multiple of 32), as bytes; in any order within 32. */
static void exponents_plain(const float *restrict x, int64_t n, uint8_t *restrict out) {
    for (int64_t i = 0; i < n; i++) {
        uint32_t u;
        memcpy(&u, x + i, 4);
        int32_t e = (int32_t)((u >> 23) & 255u) - FIRST_EXPONENT;
        e = e < 0 ? 0 : e;
        out[i] = (uint8_t)(e > BINS - 1 ? BINS - 1 : e);
    }
}

#ifdef VECTORS
/* By hand, for compilers narrow 32 bits to 8 in order, at four times the cost. */
__attribute__((target("avx2"))) static void exponents_avx2(const float *restrict x, int64_t n, uint8_t *restrict out) {
    const __m256i first = _mm256_set1_epi8((char)FIRST_EXPONENT), last = _mm256_set1_epi8(BINS - 1);
    for (int64_t i = 0; i < n; i += 32) {
        __m256i e[4];
        for (int k = 0; k < 4; k++) {
            __m256i u = _mm256_loadu_si256((const __m256i *)(x + i + 8 * k));
            e[k] = _mm256_srli_epi32(_mm256_slli_epi32(u, 1), 24);
        }
        __m256i all = _mm256_packus_epi16(_mm256_packus_epi32(e[0], e[1]), _mm256_packus_epi32(e[2], e[3]));
        _mm256_storeu_si256((__m256i *)(out + i), _mm256_min_epu8(_mm256_subs_epu8(all, first), last));
    }
}
#endif

static void exponents(const float *restrict x, int64_t n, uint8_t *restrict out) {
#ifdef VECTORS
    if (__builtin_cpu_supports("avx2")) {
        exponents_avx2(x, n, out);
        return;
    }
#endif
    exponents_plain(x, n, out);
}

/* Occurrences of `bin` among n bytes; n <= 4096, so a byte lane of 64 counts at most 64. */
CLONES static uint32_t occurrences(const uint8_t *restrict e, int64_t n, uint8_t bin) {
    uint8_t lane[64] = {0};
    for (int64_t i = 0; i < n; i += 64)
        for (int l = 0; l < 64; l++) lane[l] += e[i + l] == bin;
    uint32_t total = 0;
    for (int l = 0; l < 64; l++) total += lane[l];
    return total;
}

/* The bin of each of n doubles, in order. */
CLONES static void exponents_f64(const double *restrict x, int64_t n, uint8_t *restrict out) {
    for (int64_t i = 0; i < n; i++) {
        uint64_t u;
        memcpy(&u, x + i, 8);
        int32_t e = (int32_t)(u >> 52 & 2047u) - WIDE_FIRST;
        e = e < 0 ? 0 : e;
        out[i] = (uint8_t)(e > BINS - 1 ? BINS - 1 : e);
    }
}

/* Add n bins, one a byte, none above absmax's. Gradients crowd into a few exponents: count from the
 * largest bin down until all are found. */
static void count_bins(const uint8_t *e, int64_t n, double absmax, uint32_t *bins) {
    int64_t whole = n / 64 * 64, left = whole;
    for (int64_t i = whole; i < n; i++) bins[e[i]]++;
    for (int b = bin_of(absmax); b > 0 && left > 0; b--) {
        uint32_t found = occurrences(e, whole, (uint8_t)b);
        bins[b] += found;
        left -= found;
    }
    bins[0] += (uint32_t)left;
}

static void chunk_f32(const float *x, int64_t n, part *p) {
    int64_t whole = n / LANES * LANES;
    if (whole) {
        sums s;
        lanes_f32(x, whole, &s);
        float absmax = -s.min > s.max ? -s.min : s.max;
        /* A NaN or Inf makes the sum of squares non-finite; below 1e-15 squares leave the normal range. */
        if (!(s.sumsq < 1e38) || (absmax > 0 && absmax < 1e-15f)) {
            chunk_exact_f32(x, whole, p);
        } else {
            part c;
            part_init(&c, NULL);
            double mean = s.sum / (double)whole, m2 = s.sumsq - s.sum * mean;
            if (m2 < 0.5 * s.sumsq) { /* the mean dominates: cancellation, so once more around it */
                double rest;
                around(x, whole, (float)mean, &rest, &m2);
                m2 -= rest * rest / (double)whole;
                mean = (double)(float)mean + rest / (double)whole;
                s.sum = mean * (double)whole;
                if (m2 < 0) m2 = 0;
            }
            c.sum = s.sum, c.sumsq = s.sumsq, c.mean = mean, c.m2 = m2;
            c.min = (double)s.min, c.max = (double)s.max;
            c.count = c.finite = whole, c.zeros = s.zeros;
            part_merge(p, &c);
            if (p->bins) {
                uint8_t e[CHUNK] __attribute__((aligned(64)));
                exponents(x, whole, e);
                count_bins(e, whole, (double)absmax, p->bins);
            }
        }
    }
    chunk_exact_f32(x + whole, n - whole, p);
}

CLONES static void lanes_f64(const double *restrict x, int64_t n, double *restrict out) {
    double s[LANES] = {0}, q[LANES] = {0}, lo[LANES], hi[LANES], z[LANES] = {0};
    for (int l = 0; l < LANES; l++) {
        lo[l] = INFINITY;
        hi[l] = -INFINITY;
    }
    for (int64_t i = 0; i < n; i += LANES) {
        for (int l = 0; l < LANES; l += 8) __builtin_prefetch(x + i + 512 + l);
        for (int l = 0; l < LANES; l++) {
            double v = x[i + l];
            s[l] += v;
            q[l] += v * v;
            lo[l] = v < lo[l] ? v : lo[l];
            hi[l] = v > hi[l] ? v : hi[l];
            z[l] += v == 0.0 ? 1.0 : 0.0; /* exact: a chunk has fewer than 2^53 */
        }
    }
    memset(out, 0, 3 * sizeof *out);
    out[3] = INFINITY;
    out[4] = -INFINITY;
    for (int l = 0; l < LANES; l++) {
        out[0] += s[l];
        out[1] += q[l];
        out[2] += z[l];
        if (lo[l] < out[3]) out[3] = lo[l];
        if (hi[l] > out[4]) out[4] = hi[l];
    }
}

CLONES static double around_f64(const double *restrict x, int64_t n, double mean) {
    double q[LANES] = {0}, total = 0;
    for (int64_t i = 0; i < n; i += LANES)
        for (int l = 0; l < LANES; l++) q[l] += (x[i + l] - mean) * (x[i + l] - mean);
    for (int l = 0; l < LANES; l++) total += q[l];
    return total;
}

static void chunk_f64(const double *x, int64_t n, part *p) {
    int64_t whole = n / LANES * LANES;
    if (whole) {
        double s[5]; /* sum, sum of squares, zeros, min, max */
        lanes_f64(x, whole, s);
        double absmax = -s[3] > s[4] ? -s[3] : s[4];
        /* A NaN or Inf makes the sum of squares non-finite; below 1e-140 squares leave the normal range. */
        if (!(s[1] < 1e300) || (absmax > 0 && absmax < 1e-140)) {
            chunk_exact_f64(x, whole, p);
        } else {
            part c;
            part_init(&c, NULL);
            c.sum = s[0], c.sumsq = s[1], c.mean = s[0] / (double)whole, c.m2 = s[1] - s[0] * c.mean;
            if (c.m2 < 1e-4 * s[1]) c.m2 = around_f64(x, whole, c.mean); /* the mean dominates: cancellation */
            c.min = s[3], c.max = s[4];
            c.count = c.finite = whole, c.zeros = (int64_t)s[2];
            part_merge(p, &c);
            if (p->bins) {
                uint8_t e[CHUNK] __attribute__((aligned(64)));
                exponents_f64(x, whole, e);
                count_bins(e, whole, absmax, p->bins);
            }
        }
    }
    chunk_exact_f64(x + whole, n - whole, p);
}

CLONES static void widen_bf16(const uint16_t *restrict x, int64_t n, float *restrict out) {
    for (int64_t i = 0; i < n; i++) {
        uint32_t u = (uint32_t)x[i] << 16;
        memcpy(out + i, &u, 4);
    }
}

CLONES static void widen_f16(const uint16_t *restrict x, int64_t n, float *restrict out) {
    for (int64_t i = 0; i < n; i++) {
        uint32_t body = x[i] & 0x7fffu, sign = (uint32_t)(x[i] & 0x8000u) << 16, shifted = body << 13, u;
        float f;
        memcpy(&f, &shifted, 4);
        f *= 0x1p112f;
        memcpy(&u, &f, 4);
        u = body >= 0x7c00u ? 0x7f800000u | (body & 0x3ffu) << 13 : u;
        u |= sign;
        memcpy(out + i, &u, 4);
    }
}

static void range(const char *base, int64_t n, int dtype, part *p) {
    float wide[CHUNK] __attribute__((aligned(64)));
    for (int64_t i = 0; i < n; i += CHUNK) {
        int64_t m = n - i < CHUNK ? n - i : CHUNK;
        if (dtype == F32) {
            chunk_f32((const float *)base + i, m, p);
        } else if (dtype == F64) {
            chunk_f64((const double *)base + i, m, p);
        } else {
            const uint16_t *h = (const uint16_t *)base + i;
            if (dtype == BF16) widen_bf16(h, m, wide);
            else widen_f16(h, m, wide);
            chunk_f32(wide, m, p);
        }
    }
}

/* ---- tasks and threads ----------------------------------------------------------------------- */

typedef struct {
    int32_t tensor;
    int64_t first, length;
} task;

typedef struct {
    const void *const *data;
    const int32_t *dtypes;
    const task *tasks;
    part *parts;
    uint32_t *bins;
    int64_t count;
    _Atomic int64_t next;
} job;

static const int SIZE_OF[] = {4, 8, 2, 2};

static void work(job *j) {
    for (;;) {
        int64_t i = atomic_fetch_add_explicit(&j->next, 1, memory_order_relaxed);
        if (i >= j->count) return;
        const task *t = &j->tasks[i];
        part_init(&j->parts[i], j->bins ? j->bins + i * BINS : NULL);
        int dtype = j->dtypes[t->tensor];
        range((const char *)j->data[t->tensor] + t->first * SIZE_OF[dtype], t->length, dtype, &j->parts[i]);
    }
}

/* Workers sleep on a condition between jobs. They belong to one process: a forked child finds
 * another pid and starts with none. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    pid_t pid;
    int threads, wanted, busy;
    uint64_t round;
    job *current;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};

static void *worker(void *argument) {
    int index = (int)(intptr_t)argument;
    uint64_t seen = 0;
    pthread_mutex_lock(&pool.lock);
    for (;;) {
        while (pool.round == seen || index >= pool.wanted) {
            if (pool.round != seen) seen = pool.round;
            pthread_cond_wait(&pool.wake, &pool.lock);
        }
        seen = pool.round;
        job *j = pool.current;
        if (!j) continue;
        pool.busy++;
        pthread_mutex_unlock(&pool.lock);
        work(j);
        pthread_mutex_lock(&pool.lock);
        if (--pool.busy == 0) pthread_cond_broadcast(&pool.done); /* calls at once may wait for it */
    }
    return NULL;
}

static void pool_reset_in_child(void) {
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    pool.lock = lock;
    pool.wake = pool.done = condition;
    pool.threads = pool.busy = 0;
    pool.current = NULL;
}

static void run(job *j, int threads) {
    if (threads <= 1) {
        work(j);
        return;
    }
    pthread_mutex_lock(&pool.lock);
    while (pool.threads < threads - 1) {
        pthread_t thread;
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        pthread_attr_setstacksize(&attributes, 256 << 10);
        int failed = pthread_create(&thread, &attributes, worker, (void *)(intptr_t)pool.threads);
        pthread_attr_destroy(&attributes);
        if (failed) break; /* fewer helpers: slower, not wrong */
        pool.threads++;
    }
    pool.current = j;
    pool.wanted = threads - 1;
    pool.round++;
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.lock);
    work(j);
    pthread_mutex_lock(&pool.lock);
    pool.current = NULL; /* a worker that wakes late finds nothing */
    while (pool.busy) pthread_cond_wait(&pool.done, &pool.lock);
    pthread_mutex_unlock(&pool.lock);
}

/* ---- the entry point ---------------------------------------------------------------------------- */

static uint32_t saturate_count(int64_t n) { return n > (int64_t)UINT32_MAX ? UINT32_MAX : (uint32_t)n; }

static uint32_t saturate(double x) {
    return float_to_bits(x > (double)FLT_MAX ? FLT_MAX : x < -(double)FLT_MAX ? -FLT_MAX : (float)x);
}

/* Column t of the 12 x tensors matrix `out`. */
static void emit(const part *p, int64_t t, int64_t tensors, uint32_t *out) {
    int some = p->finite > 0;
    /* Float64 tensors near 1e308 overflow the mean's update; what then stands for it is its order. */
    double mean = isfinite(p->mean) ? p->mean : p->min / 2 + p->max / 2;
    double spread = sqrt(p->m2 / (double)(some ? p->finite : 1));
    double values[8] = {some ? mean : 0,
                        some ? (isnan(spread) ? INFINITY : spread) : 0,
                        some ? p->min : 0,
                        some ? p->max : 0,
                        some ? (-p->min > p->max ? -p->min : p->max) : 0,
                        sqrt(p->sumsq),
                        p->sum,
                        p->sumsq};
    int64_t counts[4] = {p->count, p->nan, p->inf, p->zeros};
    for (int w = 0; w < 4; w++) out[w * tensors + t] = saturate_count(counts[w]);
    for (int w = 0; w < 8; w++) out[(4 + w) * tensors + t] = saturate(values[w]);
}

/* data, sizes (elements), dtypes: of each tensor. out: [12][tensors] words. bins: [tensors][64]
 * counters or NULL. Returns 0, or -1 when memory ran out (out is then untouched). */
int auditor_statistics(const void *const *data, const int64_t *sizes, const int32_t *dtypes, int64_t tensors,
                       uint32_t *out, uint32_t *bins, int threads) {
    int64_t count = 0, elements = 0;
    for (int64_t t = 0; t < tensors; t++) {
        count += (sizes[t] + TASK - 1) / TASK;
        elements += sizes[t];
    }
    task *tasks = malloc((size_t)(count + 1) * sizeof *tasks);
    part *parts = malloc((size_t)(count + 1) * sizeof *parts);
    uint32_t *partial = bins ? calloc((size_t)(count + 1) * BINS, sizeof *partial) : NULL;
    if (!tasks || !parts || (bins && !partial)) {
        free(tasks), free(parts), free(partial);
        return -1;
    }
    int64_t i = 0;
    for (int64_t t = 0; t < tensors; t++)
        for (int64_t at = 0; at < sizes[t]; at += TASK, i++)
            tasks[i] = (task){(int32_t)t, at, sizes[t] - at < TASK ? sizes[t] - at : TASK};
    job j = {data, dtypes, tasks, parts, partial, count, 0};
    /* Waking a helper costs some 20 us and takes a core from the job's own threads: at 1.2 million elements
     * in a busy process two threads were no quicker than one. */
    int64_t useful = elements / (32 * TASK) + 1;
    if (threads > MAX_THREADS) threads = MAX_THREADS;
    run(&j, threads < useful ? threads : (int)useful);
    i = 0;
    for (int64_t t = 0; t < tensors; t++) {
        part whole;
        uint32_t *row = bins ? bins + t * BINS : NULL;
        if (row) memset(row, 0, BINS * sizeof *row);
        part_init(&whole, row);
        for (int64_t at = 0; at < sizes[t]; at += TASK) part_merge(&whole, &parts[i++]);
        emit(&whole, t, tensors, out);
    }
    free(tasks), free(parts), free(partial);
    return 0;
}

#include "units.h"

/* digest.h's for callers outside C: the checksum with one more tensor, `header` being what it is. */
uint64_t auditor_digest(uint64_t before, uint64_t header, const char *data, int64_t size, int64_t item, int64_t runs) {
    return digest_add(before, header, data, size, item, runs);
}

__attribute__((constructor)) static void forget_the_pool_in_children(void) {
    pthread_atfork(NULL, NULL, pool_reset_in_child);
}
