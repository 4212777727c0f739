/* The statistics kernel as an operation of TensorFlow, and as a custom call of XLA on the host.
 *
 * Both write one row per step to a ring in this process's memory, without Python and its lock:
 *
 *     row = 7 float64 (iterations, loss, penalty, rate, unscale, non-finite elements, Unix time)
 *         + 12 x R words (see auditor_agent/statistics.py)
 *
 * No header of TensorFlow is needed to compile this: its C interface is found in the process that
 * loads the library (tf.load_op_library), and what is not found there is simply not offered. A graph
 * holds the number of a ring, never an address: a row for a ring that is gone goes nowhere.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fenv.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { HEAD = 5, SCALARS = HEAD + 2, WORDS = 12, BINS = 64, MAX_RINGS = 1024, MAX_EARLY = 16, MAX_TENSORS = 1 << 20 };
/* In a ring's dtypes: what comes is no tensor but its WORDS words, reduced by a call of its own. */
enum { REDUCED = -1 };
enum { TF_FLOAT = 1, TF_DOUBLE = 2, TF_INT32 = 3, TF_INT64 = 9, TF_BFLOAT16 = 14, TF_HALF = 19 };

typedef int (*statistics_function)(const void *const *, const int64_t *, const int32_t *, int64_t, void *, void *, int);

typedef struct {
    int64_t written;   /* rows so far; row i lies at i % rows */
    int64_t suspicious; /* rows with anything non-finite */
    int64_t rows, tensors, key, threads;
    int64_t *sizes, *told_sizes; /* of the tensors of the row at hand; told: what XLA hands over, which does not tell */
    int32_t *dtypes, *told_dtypes;
    const void **data;
    char *table;
    int64_t every, early[MAX_EARLY]; /* if every > 0: only these updates, and every so many, are written */
    int64_t counted; /* if > 0: rows end with histograms, all zero but for the first update and each so many */
} ring;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static ring *rings[MAX_RINGS];
static int64_t last_key; /* rings and taps count alike */
static statistics_function statistics;

static void unlock_in_child(void) {
    pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
    lock = fresh;
}

static int64_t row_bytes(const ring *r) {
    return SCALARS * 8 + (int64_t)(WORDS + (r->counted > 0 ? BINS : 0)) * 4 * r->tensors;
}

static void ring_free(ring *r) {
    if (!r) return;
    free(r->sizes);
    free(r->dtypes);
    free(r->told_sizes);
    free(r->told_dtypes);
    free(r->data);
    free(r->table);
    free(r);
}

/* Where keys begin: another number in each process, for a compiled program that XLA keeps on disk must
 * not find a ring of a later process behind its key. */
static int64_t first_key(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t mixed = ((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec) ^ ((uint64_t)getpid() << 40);
    mixed *= 0x9e3779b97f4a7c15u;
    return (int64_t)(mixed >> 24); /* 40 bits, so that a key fits in int64 */
}

/* A ring for rows of `tensors` tensors; its address, or NULL without memory or with too many rings. */
ring *auditor_ring_new(int64_t rows, int64_t tensors, int64_t threads) {
    if (rows < 1 || tensors < 0 || tensors > MAX_TENSORS) return NULL;
    ring *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    r->rows = rows, r->tensors = tensors, r->threads = threads;
    size_t n = (size_t)tensors + 1;
    r->sizes = calloc(n, sizeof *r->sizes);
    r->dtypes = calloc(n, sizeof *r->dtypes);
    r->told_sizes = calloc(n, sizeof *r->told_sizes);
    r->told_dtypes = calloc(n, sizeof *r->told_dtypes);
    r->data = calloc(n, sizeof *r->data);
    r->table = calloc((size_t)rows, (size_t)row_bytes(r));
    pthread_mutex_lock(&lock);
    int slot = 0;
    while (slot < MAX_RINGS && rings[slot]) slot++;
    int fits = slot < MAX_RINGS && r->sizes && r->dtypes && r->told_sizes && r->told_dtypes && r->data && r->table;
    if (fits) {
        if (!last_key) last_key = first_key();
        r->key = ++last_key * MAX_RINGS + slot;
        rings[slot] = r;
    }
    pthread_mutex_unlock(&lock);
    if (fits) return r;
    ring_free(r);
    return NULL;
}

static ring *find(int64_t key) {
    ring *r = key >= 0 ? rings[key % MAX_RINGS] : NULL;
    return r && r->key == key ? r : NULL;
}

void auditor_ring_delete(int64_t key) {
    pthread_mutex_lock(&lock);
    ring *r = find(key);
    if (r) rings[key % MAX_RINGS] = NULL;
    pthread_mutex_unlock(&lock);
    ring_free(r);
}

/* What the tensors of a ring are, for callers that pass addresses only; of REDUCED ones the size is 0. */
void auditor_ring_shape(int64_t key, const int64_t *sizes, const int32_t *dtypes) {
    pthread_mutex_lock(&lock);
    ring *r = find(key);
    if (r) {
        memcpy(r->told_sizes, sizes, (size_t)r->tensors * sizeof *sizes);
        memcpy(r->told_dtypes, dtypes, (size_t)r->tensors * sizeof *dtypes);
    }
    pthread_mutex_unlock(&lock);
}

/* Have only some rows written: those of the updates `early` (at most 16, counted from 1), and each `every`th. */
void auditor_ring_only(int64_t key, const int64_t *early, int64_t count, int64_t every) {
    pthread_mutex_lock(&lock);
    ring *r = find(key);
    if (r) {
        r->every = every;
        memcpy(r->early, early, (size_t)(count < MAX_EARLY ? count : MAX_EARLY) * sizeof *early);
    }
    pthread_mutex_unlock(&lock);
}

/* Have the rows of a ring, of which `rows` are kept from now on, end with the histograms of the first update
 * and of each `every`th. 0, or -1 if rows were written already or there is no memory: all stays as it was. */
int auditor_ring_count(int64_t key, int64_t every, int64_t rows) {
    int failed = -1;
    pthread_mutex_lock(&lock);
    ring *r = find(key);
    if (r && !r->written && !r->counted && every > 0 && rows > 0) {
        r->counted = every;
        char *table = calloc((size_t)rows, (size_t)row_bytes(r));
        if (table) {
            free(r->table);
            r->table = table, r->rows = rows;
            failed = 0;
        } else {
            r->counted = 0;
        }
    }
    pthread_mutex_unlock(&lock);
    return failed;
}

/* Copy rows [first, written) to `out`, oldest first, `rows` of them at most; `written` is returned. */
int64_t auditor_ring_read(int64_t key, int64_t first, char *out) {
    pthread_mutex_lock(&lock);
    ring *r = find(key);
    int64_t written = r ? r->written : 0;
    if (r) {
        if (first < written - r->rows) first = written - r->rows;
        int64_t size = row_bytes(r);
        for (int64_t i = first; i < written; i++, out += size)
            memcpy(out, r->table + (i % r->rows) * size, (size_t)size);
        r->suspicious = 0;
    }
    pthread_mutex_unlock(&lock);
    return written;
}

static int64_t nonfinite(const uint32_t *words, int64_t tensors) {
    int64_t total = 0;
    for (int64_t i = tensors; i < 3 * tensors; i++) total += words[i];
    return total;
}

static int due(const ring *r, const double *head) {
    int64_t update = (int64_t)head[0] + 1;
    if (r->every <= 0 || update % r->every == 0) return 1;
    for (int i = 0; i < MAX_EARLY; i++)
        if (r->early[i] == update) return 1;
    return 0;
}

static double unix_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* TensorFlow's threads take denormal numbers for zero; counting must not. */
static int reduce(const void *const *data, const int64_t *sizes, const int32_t *dtypes, int64_t tensors,
                  uint32_t *words, uint32_t *bins, int threads) {
    fenv_t theirs;
    fegetenv(&theirs);
    fesetenv(FE_DFL_ENV);
    int failed = statistics(data, sizes, dtypes, tensors, words, bins, threads);
    fesetenv(&theirs);
    return failed;
}

/* Put the words that came reduced into their columns; -1 if one's reduction failed: its count is then 0. */
static int place_reduced(const ring *r, uint32_t *words) {
    for (int64_t i = 0; i < r->tensors; i++) {
        if (r->dtypes[i] != REDUCED) continue;
        const uint32_t *column = r->data[i];
        if (!column[0]) return -1;
        for (int w = 0; w < WORDS; w++) words[w * r->tensors + i] = column[w];
    }
    return 0;
}

/* Write one row; called with the lock held, sizes, dtypes and data filled in. */
static void record(ring *r, const double *head) {
    if (!due(r, head)) return;
    char *row = r->table + (r->written % r->rows) * row_bytes(r);
    uint32_t *words = (uint32_t *)(row + SCALARS * 8);
    uint32_t *bins = r->counted > 0 ? words + (int64_t)WORDS * r->tensors : NULL;
    int64_t update = (int64_t)head[0] + 1;
    if (bins && update != 1 && update % r->counted) {
        memset(bins, 0, sizeof *bins * BINS * (size_t)r->tensors);
        bins = NULL;
    }
    if (reduce(r->data, r->sizes, r->dtypes, r->tensors, words, bins, (int)r->threads)) return;
    if (place_reduced(r, words)) return;
    double found = (double)nonfinite(words, r->tensors);
    memcpy(row, head, HEAD * 8);
    memcpy(row + HEAD * 8, &found, 8);
    double now = unix_time();
    memcpy(row + (HEAD + 1) * 8, &now, 8);
    r->written++;
    /* A loss and a penalty that are both NaN were never told. */
    if (found > 0 || (!isfinite(head[1]) && !(isnan(head[1]) && isnan(head[2])))) r->suspicious++;
}

/* ---- XLA on the host: void (out, in, opaque, opaque_len, status), the key as decimal opaque ----- */

/* The first number from `at` on, which is moved behind the character that ends it. */
static int64_t number_of(const char *opaque, size_t length, size_t *at) {
    int64_t number = 0;
    for (; *at < length && opaque[*at] >= '0' && opaque[*at] <= '9'; (*at)++) number = 10 * number + (opaque[*at] - '0');
    (*at)++;
    return number;
}

static int64_t key_of(const char *opaque, size_t length) {
    size_t at = 0;
    return number_of(opaque, length, &at);
}

static void xla_record(int64_t *out, const void **in, const char *opaque, size_t length, void *status) {
    (void)status;
    pthread_mutex_lock(&lock);
    ring *r = find(key_of(opaque, length));
    *out = 0;
    if (r) {
        memcpy(r->sizes, r->told_sizes, (size_t)r->tensors * sizeof *r->sizes);
        memcpy(r->dtypes, r->told_dtypes, (size_t)r->tensors * sizeof *r->dtypes);
        for (int64_t i = 0; i < r->tensors; i++) r->data[i] = in[1 + i];
        record(r, in[0]);
        *out = r->written;
    }
    pthread_mutex_unlock(&lock);
}

/* One tensor's words, opaque "elements dtype threads": a call that needs no ring and changes nothing, so that XLA may
 * make it as soon as the tensor is there, beside other work, and give the tensor's memory away. */
static void xla_reduce(uint32_t *out, const void **in, const char *opaque, size_t length, void *status) {
    (void)status;
    size_t at = 0;
    int64_t size = number_of(opaque, length, &at);
    int32_t dtype = (int32_t)number_of(opaque, length, &at);
    int threads = (int)number_of(opaque, length, &at);
    if (!statistics || reduce(in, &size, &dtype, 1, out, NULL, threads)) memset(out, 0, WORDS * sizeof *out);
}

#include "digest.h"
#include "tensorflow_taps.h"

/* libstdc++'s std::string, as its C++11 ABI has it: the registry's only signature. */
typedef struct {
    char *data;
    size_t size;
    char local[16];
} cxx_string;

static cxx_string string_of(char *text) {
    cxx_string s = {text, strlen(text), {0}};
    return s;
}

#define REGISTRY "_ZN3xla24CustomCallTargetRegistry"
#define STRING "RKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"

/* Offer the custom call to XLA; 0 where this TensorFlow has no registry that we know. */
static int register_xla(void *library) {
    void *(*global)(void) = (void *(*)(void))dlsym(library, REGISTRY "6GlobalEv");
    void (*add)(void *, const cxx_string *, void *, const cxx_string *) =
        (void (*)(void *, const cxx_string *, void *, const cxx_string *))dlsym(
            library, REGISTRY "8RegisterERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEPvS8_");
    if (!global || !add) return 0;
    char record_name[] = "auditor_record", reduce_name[] = "auditor_reduce", tap_name[] = "auditor_tap";
    char ahead_name[] = "auditor_tap_ahead", platform[] = "Host";
    cxx_string r = string_of(record_name), w = string_of(reduce_name), t = string_of(tap_name), p = string_of(platform);
    cxx_string a = string_of(ahead_name);
    add(global(), &r, (void *)xla_record, &p);
    add(global(), &w, (void *)xla_reduce, &p);
    add(global(), &t, (void *)xla_tap, &p);
    add(global(), &a, (void *)xla_tap_ahead, &p);
    return 1;
}

/* ---- TensorFlow's C interface, found at run time ------------------------------------------------ */

typedef void *(*create_function)(void *);
typedef void (*compute_function)(void *, void *);

#define INTERFACE(X)                                                                  \
    X(void *, TF_NewStatus, (void))                                                   \
    X(void, TF_DeleteStatus, (void *))                                                \
    X(int, TF_GetCode, (const void *))                                                \
    X(void *, TF_NewOpDefinitionBuilder, (const char *))                              \
    X(void, TF_OpDefinitionBuilderAddInput, (void *, const char *))                   \
    X(void, TF_OpDefinitionBuilderAddAttr, (void *, const char *))                    \
    X(void, TF_OpDefinitionBuilderSetIsStateful, (void *, _Bool))                     \
    X(void, TF_RegisterOpDefinition, (void *, void *))                                \
    X(void *, TF_NewKernelBuilder,                                                    \
      (const char *, const char *, create_function, compute_function, void (*)(void *))) \
    X(void, TF_RegisterKernelBuilder, (const char *, void *, void *))                 \
    X(void, TF_OpKernelConstruction_GetAttrInt64, (void *, const char *, int64_t *, void *)) \
    X(int, TF_NumInputs, (void *))                                                    \
    X(void, TF_GetInput, (void *, int, void **, void *))                              \
    X(int, TF_TensorType, (const void *))                                             \
    X(int, TF_NumDims, (const void *))                                                \
    X(int64_t, TF_Dim, (const void *, int))                                           \
    X(void *, TF_TensorData, (const void *))                                          \
    X(int64_t, TF_TensorElementCount, (const void *))                                 \
    X(void, TF_DeleteTensor, (void *))

#define DECLARE(result, name, arguments) static result(*name) arguments;
INTERFACE(DECLARE)

static int find_interface(void *library) {
#define FIND(result, name, arguments) \
    if (!(name = (result(*) arguments)dlsym(library, #name))) return 0;
    INTERFACE(FIND)
    return 1;
}

static void *kernel_create(void *construction) {
    int64_t *key = malloc(sizeof *key);
    void *status = TF_NewStatus();
    if (key) TF_OpKernelConstruction_GetAttrInt64(construction, "key", key, status);
    if (key && TF_GetCode(status)) *key = -1;
    TF_DeleteStatus(status);
    return key;
}

static double scalar(const void *tensor) {
    const void *data = TF_TensorData(tensor);
    if (TF_TensorElementCount(tensor) != 1) return NAN;
    switch (TF_TensorType(tensor)) {
        case TF_FLOAT: return (double)*(const float *)data;
        case TF_DOUBLE: return *(const double *)data;
        case TF_INT32: return (double)*(const int32_t *)data;
        case TF_INT64: return (double)*(const int64_t *)data;
        default: return NAN;
    }
}

static int32_t dtype_of(const void *tensor) {
    switch (TF_TensorType(tensor)) {
        case TF_FLOAT: return 0;
        case TF_DOUBLE: return 1;
        case TF_BFLOAT16: return 2;
        case TF_HALF: return 3;
        default: return -1;
    }
}

static void take(ring *r, void **inputs) {
    double head[HEAD];
    for (int i = 0; i < HEAD; i++) head[i] = scalar(inputs[i]);
    for (int64_t i = 0; i < r->tensors; i++) {
        const void *tensor = inputs[HEAD + i];
        int32_t dtype = dtype_of(tensor);
        r->data[i] = TF_TensorData(tensor);
        r->sizes[i] = dtype < 0 ? 0 : TF_TensorElementCount(tensor);
        r->dtypes[i] = dtype < 0 ? 0 : dtype;
    }
    record(r, head);
}

static void kernel_compute(void *kernel, void *context) {
    int count = TF_NumInputs(context), got = 0;
    void **inputs = calloc((size_t)count + 1, sizeof *inputs), *status = TF_NewStatus();
    while (inputs && got < count) {
        TF_GetInput(context, got, &inputs[got], status);
        if (TF_GetCode(status)) break;
        got++;
    }
    if (inputs && kernel && got == count) {
        pthread_mutex_lock(&lock);
        ring *r = find(*(int64_t *)kernel);
        if (r && count == HEAD + r->tensors) take(r, inputs);
        pthread_mutex_unlock(&lock);
    }
    for (int i = 0; i < got; i++) TF_DeleteTensor(inputs[i]);
    free(inputs);
    TF_DeleteStatus(status);
}

/* The operands of a tap that this step is about, each with its shape: the others are not even fetched. */
static int fetch_operands(void *context, const tap *t, int64_t asked, void **tensors, const void **data, int64_t *shape) {
    void *status = TF_NewStatus();
    const int64_t *spec = t->specs;
    int fetched = 1;
    for (int64_t i = 0; i < t->operands && fetched; shape += spec[3], spec += SPEC, i++) {
        if (spec[0] != TAP_DIGEST && !((asked >> spec[1]) & 1)) continue;
        TF_GetInput(context, HEAD + (int)i, &tensors[i], status);
        fetched = !TF_GetCode(status) && TF_NumDims(tensors[i]) == spec[3];
        for (int k = 0; fetched && k < spec[3]; k++) shape[k] = TF_Dim(tensors[i], k);
        if (fetched) data[i] = TF_TensorData(tensors[i]);
    }
    TF_DeleteStatus(status);
    return fetched;
}

static void tap_operands(void *context, tap *t, int64_t step, int64_t asked, const double *head) {
    int64_t extents = 1;
    for (int64_t i = 0; i < t->operands; i++) extents += t->specs[i * SPEC + 3];
    size_t count = (size_t)t->operands;
    void **tensors = calloc(count + 1, sizeof *tensors);
    const void **data = calloc(count + 1, sizeof *data);
    int64_t *shapes = calloc((size_t)extents, sizeof *shapes);
    if (tensors && data && shapes && fetch_operands(context, t, asked, tensors, data, shapes)) {
        tap_digest(t, step, shapes, data);
        tap_take(t, step, asked, head, shapes, data);
    }
    for (size_t i = 0; tensors && i < count; i++)
        if (tensors[i]) TF_DeleteTensor(tensors[i]);
    free(tensors);
    free(data);
    free(shapes);
}

static int read_head(void *context, double *head) {
    void *status = TF_NewStatus();
    int read = 1;
    for (int i = 0; i < HEAD && read; i++) {
        void *tensor = NULL;
        TF_GetInput(context, i, &tensor, status);
        read = !TF_GetCode(status);
        if (read) head[i] = scalar(tensor);
        if (tensor) TF_DeleteTensor(tensor);
    }
    TF_DeleteStatus(status);
    return read;
}

/* A tap as an operation of TensorFlow, where XLA does not compile: the five scalars of the head, the operands. */
static void tap_compute(void *kernel, void *context) {
    double head[HEAD];
    int count = TF_NumInputs(context);
    if (!kernel || count < HEAD || !read_head(context, head)) return;
    pthread_mutex_lock(&lock);
    tap *t = tap_of(*(int64_t *)kernel);
    int64_t asked = 0, step = t && count == HEAD + t->operands ? tap_step(t, head, &asked) : 0;
    if (step) tap_operands(context, t, step, asked, head);
    pthread_mutex_unlock(&lock);
}

static int register_op(void *status) {
    void *op = TF_NewOpDefinitionBuilder("AuditorRecord");
    TF_OpDefinitionBuilderAddAttr(op, "T: list({float, double, bfloat16, half, int32, int64})");
    TF_OpDefinitionBuilderAddAttr(op, "key: int");
    TF_OpDefinitionBuilderAddInput(op, "values: T");
    TF_OpDefinitionBuilderSetIsStateful(op, 1); /* never pruned, never folded, in the program's order */
    TF_RegisterOpDefinition(op, status);
    if (TF_GetCode(status)) return 0;
    void *kernel = TF_NewKernelBuilder("AuditorRecord", "CPU", kernel_create, kernel_compute, free);
    TF_RegisterKernelBuilder("AuditorRecord", kernel, status);
    return !TF_GetCode(status);
}

static int register_tap(void *status) {
    void *op = TF_NewOpDefinitionBuilder("AuditorTap");
    TF_OpDefinitionBuilderAddAttr(op, "T: list(type)");
    TF_OpDefinitionBuilderAddAttr(op, "key: int");
    TF_OpDefinitionBuilderAddInput(op, "values: T");
    TF_OpDefinitionBuilderSetIsStateful(op, 1);
    TF_RegisterOpDefinition(op, status);
    if (TF_GetCode(status)) return 0;
    TF_RegisterKernelBuilder("AuditorTap", TF_NewKernelBuilder("AuditorTap", "CPU", kernel_create, tap_compute, free), status);
    return !TF_GetCode(status);
}

/* Raised whenever rows, blocks or functions change: a library of another number counts as not built. */
int auditor_tensorflow_abi(void) { return 3; }

static int offered; /* 1: the operation, 2: the custom call */

/* What was registered, and from now on the statistics kernel to use. */
int auditor_tensorflow_bind(statistics_function kernel) {
    statistics = kernel;
    return kernel ? offered : 0;
}

__attribute__((constructor)) static void begin(void) {
    void *library = dlopen("libtensorflow_framework.so.2", RTLD_NOLOAD | RTLD_LAZY);
    if (!library || !find_interface(library)) return;
    pthread_atfork(NULL, NULL, unlock_in_child);
    void *status = TF_NewStatus();
    if (register_op(status) && register_tap(status)) offered |= 1;
    TF_DeleteStatus(status);
    void *compiler = dlopen("libtensorflow_cc.so.2", RTLD_NOLOAD | RTLD_LAZY);
    if (compiler && register_xla(compiler)) offered |= 2;
}
