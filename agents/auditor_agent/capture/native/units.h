/* What recordings hold of a tensor besides its statistics; included by statistics.c.
 *
 * Units: mean, standard deviation, minimum and maximum of each unit of a layer's output, over all samples, in one
 * pass. The output is an array (outer, units, inner): a dense layer's has inner = 1 and units side by side, a
 * convolution's has the channels' planes one after the other. Units side by side are taken TILE at a time, BLOCK
 * rows in single precision around the mean so far, blocks merged in double by Chan's formula; where a block's
 * deviations drown in the distance to that mean, it is read again, from the cache, around its own.
 * NaN in a unit makes all four NaN, an infinity the standard deviation.
 *
 * Samples: evenly spread elements of many tensors, those of stream/recording.py's positions().
 */
enum { TILE = 256, BLOCK = 256, FIRST_ROWS = 4 };

typedef struct {
    float shift[TILE], sum[TILE], square[TILE], low[TILE], high[TILE];
} tile;

/* Where a unit's elements lie, in elements; the innermost are side by side. */
typedef struct {
    const char *data;
    int dtype;
    int64_t outer, outer_stride, units, unit_stride, inner;
} folded;

static inline int64_t item_bytes(int dtype) { return dtype == F64 ? 8 : dtype == F32 ? 4 : 2; }

static double element_at(const folded *f, int64_t at) {
    switch (f->dtype) {
        case F32: return (double)((const float *)f->data)[at];
        case F64: return ((const double *)f->data)[at];
        case BF16: return (double)bits_to_float((uint32_t)((const uint16_t *)f->data)[at] << 16);
        default: return (double)half_to_float(((const uint16_t *)f->data)[at]);
    }
}

/* Four rows at once: the accumulators are fetched and put back once for them. */
CLONES static void tile_add(const float *restrict a, const float *restrict b, const float *restrict c,
                            const float *restrict d, int64_t n, tile *restrict t) {
    for (int64_t l = 0; l < n; l++) {
        float k = t->shift[l], p = a[l] - k, q = b[l] - k, r = c[l] - k, s = d[l] - k;
        t->sum[l] += (p + q) + (r + s);
        t->square[l] += (p * p + q * q) + (r * r + s * s);
        float low = a[l] < b[l] ? a[l] : b[l], low2 = c[l] < d[l] ? c[l] : d[l];
        float high = a[l] > b[l] ? a[l] : b[l], high2 = c[l] > d[l] ? c[l] : d[l];
        low = low < low2 ? low : low2, high = high > high2 ? high : high2;
        t->low[l] = low < t->low[l] ? low : t->low[l];
        t->high[l] = high > t->high[l] ? high : t->high[l];
    }
}

CLONES static void tile_add_one(const float *restrict a, int64_t n, tile *restrict t) {
    for (int64_t l = 0; l < n; l++) {
        float p = a[l] - t->shift[l];
        t->sum[l] += p;
        t->square[l] += p * p;
        t->low[l] = a[l] < t->low[l] ? a[l] : t->low[l];
        t->high[l] = a[l] > t->high[l] ? a[l] : t->high[l];
    }
}

static const float *tile_row(const folded *f, int64_t row, int64_t first, int64_t n, float *wide) {
    int64_t at = row * f->outer_stride + first;
    if (f->dtype == F32) return (const float *)f->data + at;
    const uint16_t *halves = (const uint16_t *)f->data + at;
    if (f->dtype == BF16) widen_bf16(halves, n, wide);
    else widen_f16(halves, n, wide);
    return wide;
}

static void tile_block(const folded *f, int64_t row, int64_t rows, int64_t first, int64_t n, tile *t) {
    float wide[FIRST_ROWS][TILE] __attribute__((aligned(64)));
    for (int64_t l = 0; l < n; l++) t->sum[l] = t->square[l] = 0;
    int64_t r = 0;
    for (; r + FIRST_ROWS <= rows; r += FIRST_ROWS) {
        const float *each[FIRST_ROWS];
        for (int k = 0; k < FIRST_ROWS; k++) each[k] = tile_row(f, row + r + k, first, n, wide[k]);
        tile_add(each[0], each[1], each[2], each[3], n, t);
    }
    for (; r < rows; r++) tile_add_one(tile_row(f, row + r, first, n, wide[0]), n, t);
}

/* Whether any unit's deviations are lost in its distance to the shift; then the shift becomes the block's mean. */
static int tile_off(tile *t, int64_t rows, int64_t n) {
    int off = 0;
    for (int64_t l = 0; l < n; l++) {
        float mean = t->sum[l] / (float)rows;
        if (t->square[l] - t->sum[l] * mean < 1e-2f * t->square[l] && isfinite(mean)) {
            t->shift[l] += mean;
            off = 1;
        }
    }
    return off;
}

/* Double precision, one element after the other: for what is not finite, or too large or small to be squared. */
static void unit_exact(const folded *f, int64_t unit, float *out) {
    double sum = 0, m2 = 0, low = INFINITY, high = -INFINITY;
    int64_t count = f->outer * f->inner;
    int missing = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t o = 0; o < f->outer; o++) {
            for (int64_t i = 0; i < f->inner; i++) {
                double x = element_at(f, o * f->outer_stride + unit * f->unit_stride + i);
                if (pass) {
                    m2 += (x - sum) * (x - sum);
                    continue;
                }
                missing |= isnan(x);
                sum += x;
                low = x < low ? x : low, high = x > high ? x : high;
            }
        }
        if (!pass) sum /= (double)count;
    }
    out[0] = (float)sum, out[f->units] = (float)sqrt(m2 / (double)count);
    out[2 * f->units] = missing ? NAN : (float)low, out[3 * f->units] = missing ? NAN : (float)high;
}

static void units_side_by_side(const folded *f, float *out) {
    tile t;
    double mean[TILE], m2[TILE];
    for (int64_t first = 0; first < f->units; first += TILE) {
        int64_t n = f->units - first < TILE ? f->units - first : TILE;
        for (int64_t l = 0; l < n; l++) {
            t.low[l] = INFINITY, t.high[l] = -INFINITY, mean[l] = m2[l] = 0;
            t.shift[l] = (float)element_at(f, first + l);
        }
        for (int64_t row = 0; row < f->outer; row += BLOCK) {
            int64_t rows = f->outer - row < BLOCK ? f->outer - row : BLOCK;
            tile_block(f, row, rows, first, n, &t);
            if (tile_off(&t, rows, n)) tile_block(f, row, rows, first, n, &t);
            for (int64_t l = 0; l < n; l++) {
                double sum = (double)t.sum[l], part = sum / (double)rows, delta = (double)t.shift[l] + part - mean[l];
                double whole = (double)(row + rows);
                m2[l] += (double)t.square[l] - sum * part + delta * delta * ((double)row * (double)rows / whole);
                mean[l] += delta * ((double)rows / whole);
                t.shift[l] = (float)mean[l];
            }
        }
        for (int64_t l = 0; l < n; l++) {
            float *to = out + first + l;
            int lost = m2[l] < 1e-30 && t.high[l] > t.low[l]; /* squares left the normal range */
            if (!isfinite(mean[l]) || !isfinite(m2[l]) || lost) {
                unit_exact(f, first + l, to);
                continue;
            }
            to[0] = (float)mean[l], to[f->units] = (float)sqrt(m2[l] > 0 ? m2[l] / (double)f->outer : 0);
            to[2 * f->units] = t.low[l], to[3 * f->units] = t.high[l];
        }
    }
}

static void unit_in_runs(const folded *f, int64_t unit, float *out) {
    part p;
    part_init(&p, NULL);
    for (int64_t o = 0; o < f->outer; o++) {
        int64_t at = o * f->outer_stride + unit * f->unit_stride;
        range(f->data + at * item_bytes(f->dtype), f->inner, f->dtype, &p);
    }
    if (p.nan || p.inf || !isfinite(p.m2)) {
        unit_exact(f, unit, out);
        return;
    }
    out[0] = (float)p.mean, out[f->units] = (float)sqrt(p.m2 / (double)p.finite);
    out[2 * f->units] = (float)p.min, out[3 * f->units] = (float)p.max;
}

/* `out`: (4, units) floats. Strides are in elements; the `inner` ones of a unit lie side by side. */
void auditor_units(const char *data, int dtype, int64_t outer, int64_t outer_stride, int64_t units,
                   int64_t unit_stride, int64_t inner, float *out) {
    folded f = {data, dtype, outer, outer_stride, units, unit_stride, inner};
    if (inner == 1 && unit_stride == 1 && dtype != F64) {
        units_side_by_side(&f, out);
        return;
    }
    for (int64_t u = 0; u < units; u++) {
        if (inner == 1) unit_exact(&f, u, out + u);
        else unit_in_runs(&f, u, out + u);
    }
}

/* Where the `i`th of `count` evenly spread ones of `size` is. */
static inline int64_t place(int64_t i, int64_t size, int64_t count) {
    if (count >= size) return i;
    if (count < 2) return 0;
    if (size < (int64_t)1 << 40 && count < (int64_t)1 << 23) return i * (size - 1) / (count - 1);
    return (int64_t)((__int128)i * (size - 1) / (count - 1));
}

/* `rows` evenly spread samples of a unit by `width` evenly spread units, (rows, width); elements are of `item` bytes. */
void auditor_rows(const char *data, int64_t item, int64_t outer, int64_t outer_stride, int64_t units,
                  int64_t unit_stride, int64_t inner, int64_t inner_stride, int64_t rows, int64_t width, char *out) {
    for (int64_t r = 0; r < rows; r++) {
        int64_t sample = place(r, outer * inner, rows);
        const char *from = data + (sample / inner * outer_stride + sample % inner * inner_stride) * item;
        if (width == units && unit_stride == 1) {
            memcpy(out, from, (size_t)(width * item));
            out += width * item;
            continue;
        }
        for (int64_t u = 0; u < width; u++, out += item)
            memcpy(out, from + place(u, units, width) * unit_stride * item, (size_t)item);
    }
}

/* counts[t] evenly spread elements, of items[t] bytes each, of the sizes[t] of each tensor, one after the other. */
void auditor_sample(const char *const *data, const int64_t *sizes, const int64_t *counts, const int64_t *items,
                    int64_t tensors, char *out) {
    for (int64_t t = 0; t < tensors; t++) {
        int64_t item = items[t], count = counts[t], gaps = count - 1;
        if (count >= sizes[t]) {
            memcpy(out, data[t], (size_t)(sizes[t] * item));
            out += sizes[t] * item;
            continue;
        }
        /* place() without its division. */
        int64_t step = gaps > 0 ? (sizes[t] - 1) / gaps : 0, rest = gaps > 0 ? (sizes[t] - 1) % gaps : 0;
        for (int64_t i = 0, at = 0, over = 0; i < count; i++, out += item) {
            if (item == 4) memcpy(out, data[t] + at * 4, 4);
            else memcpy(out, data[t] + at * item, (size_t)item);
            at += step, over += rest;
            if (over >= gaps) over -= gaps, at++;
        }
    }
}
