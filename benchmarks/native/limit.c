/* What this machine can do at most: the kernel's part of reading a series or a tree, and the one
 * conversion that cannot be left out. Nothing is parsed, ordered or checked here.
 *
 * Tried with 300 slices of 512x512 into memory that was used before (2 MiB pages), on one thread of
 * a Xeon with AVX-512 that others used too, so the best of 9 rounds; ms:
 *   33.2  map each file with MAP_POPULATE, convert from there, stores past the caches
 *   35.4  the same, pages faulted in while converting
 *   43.7  the same as the first, ordinary stores, which read each line of the output before
 *   41.1  pread of a slice into scratch of 2 MiB pages, stores past the caches
 *   43.5  pread of 256 KiB at a time; 16 KiB to 128 KiB: 43.6 to 45.1
 *   57.4  pread of a slice, ordinary stores
 * The first and the fourth are kept. Only the fourth is a limit for a reader of files that may be
 * cut off meanwhile: under a map that is a SIGBUS. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

enum { MAX_THREADS = 256, HEADER_BYTES = 8192, SLICE_ALIGNMENT = 64 };

/* ---- a pool that lives for one call: an atomic counter hands out the indices ---- */

struct pool {
    int (*work)(void* context, int64_t index, int worker); /* 0 or an errno */
    void* context;
    atomic_int workers;
    int64_t count;
    atomic_llong next;
    atomic_llong failed; /* an index, or -1 */
    atomic_int error;
};

static void* take(void* argument) {
    struct pool* pool = argument;
    const int worker = atomic_fetch_add(&pool->workers, 1);
    for (;;) {
        const int64_t index = atomic_fetch_add(&pool->next, 1);
        if (index >= pool->count) {
            return NULL;
        }
        const int error = pool->work(pool->context, index, worker);
        if (error != 0) {
            atomic_store(&pool->failed, index);
            atomic_store(&pool->error, error);
            atomic_store(&pool->next, pool->count);
        }
    }
}

static int run(struct pool* pool, int threads) {
    pthread_t others[MAX_THREADS];
    int started = 0;
    atomic_store(&pool->failed, -1);
    while (started + 1 < threads && started + 1 < MAX_THREADS) {
        const int error = pthread_create(&others[started], NULL, take, pool);
        if (error != 0) {
            atomic_store(&pool->error, error);
            atomic_store(&pool->next, pool->count);
            break;
        }
        ++started;
    }
    take(pool);
    for (int k = 0; k < started; ++k) {
        pthread_join(others[k], NULL);
    }
    return atomic_load(&pool->error);
}

/* ---- a series ---- */

struct series {
    const char* const* paths;
    const int64_t* offsets; /* of the pixels in each file */
    int64_t cells;          /* a slice */
    float slope, intercept;
    float* out;
    char* scratch[MAX_THREADS]; /* nothing: map the files */
};

static int16_t cell(const char* from, int64_t index) {
    int16_t value; /* pixels may lie at an odd address */
    memcpy(&value, from + 2 * index, sizeof value);
    return value;
}

/* Stores go past the caches: nothing reads the values before all of them are there. */
static void convert(const char* from, float* to, int64_t cells, float slope, float intercept) {
    int64_t at = 0;
#if defined(__AVX512F__)
    const __m512 by = _mm512_set1_ps(slope), plus = _mm512_set1_ps(intercept);
    for (; at + 16 <= cells; at += 16) {
        const __m256i narrow = _mm256_loadu_si256((const void*)(from + 2 * at));
        const __m512 wide = _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(narrow));
        _mm512_stream_ps(to + at, _mm512_add_ps(_mm512_mul_ps(wide, by), plus));
    }
#elif defined(__AVX2__)
    const __m256 by = _mm256_set1_ps(slope), plus = _mm256_set1_ps(intercept);
    for (; at + 8 <= cells; at += 8) {
        const __m128i narrow = _mm_loadu_si128((const void*)(from + 2 * at));
        const __m256 wide = _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(narrow));
        _mm256_stream_ps(to + at, _mm256_add_ps(_mm256_mul_ps(wide, by), plus));
    }
#endif
    for (; at < cells; ++at) {
        to[at] = (float)cell(from, at) * slope + intercept;
    }
}

static int convert_mapped(const struct series* series, int fd, int64_t offset, float* to) {
    const int64_t page = sysconf(_SC_PAGESIZE);
    const int64_t start = offset / page * page;
    const int64_t skip = offset - start;
    const size_t length = (size_t)(skip + 2 * series->cells);
    char* mapped = mmap(NULL, length, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, start);
    if (mapped == MAP_FAILED) {
        return errno;
    }
    convert(mapped + skip, to, series->cells, series->slope, series->intercept);
    munmap(mapped, length);
    return 0;
}

static int convert_read(const struct series* series, int fd, int64_t offset, char* scratch,
                        float* to) {
    const size_t length = (size_t)(2 * series->cells);
    for (size_t done = 0; done < length;) {
        const ssize_t count = pread(fd, scratch + done, length - done, offset + (off_t)done);
        if (count <= 0) {
            return count == 0 ? EIO : errno;
        }
        done += (size_t)count;
    }
    convert(scratch, to, series->cells, series->slope, series->intercept);
    return 0;
}

static int load_slice(void* context, int64_t index, int worker) {
    const struct series* series = context;
    const int fd = open(series->paths[index], O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    float* to = series->out + index * series->cells;
    char* scratch = series->scratch[worker];
    const int error = scratch == NULL
                          ? convert_mapped(series, fd, series->offsets[index], to)
                          : convert_read(series, fd, series->offsets[index], scratch, to);
    close(fd);
#ifdef __x86_64__
    _mm_sfence(); /* before the join says that the values are there */
#endif
    return error;
}

/* Fills `out`, whose slices have to be 64-byte aligned. `scratch` has room for a slice of each
 * thread; nothing: the files are mapped. 0, or an errno and whose it is. */
int limit_load(const char* const* paths, const int64_t* offsets, int64_t count, int64_t cells,
               float slope, float intercept, int threads, char* scratch, float* out,
               int64_t* failed) {
    if ((uintptr_t)out % SLICE_ALIGNMENT != 0 || cells * 4 % SLICE_ALIGNMENT != 0 ||
        threads > MAX_THREADS) {
        return EINVAL;
    }
    struct series series = {paths, offsets, cells, slope, intercept, out, {0}};
    for (int worker = 0; scratch != NULL && worker < threads; ++worker) {
        series.scratch[worker] = scratch + worker * 2 * cells;
    }
    struct pool pool = {.work = load_slice, .context = &series, .count = count};
    const int error = run(&pool, threads);
    *failed = atomic_load(&pool.failed);
    return error;
}

/* ---- a tree ---- */

struct entry {
    int folder; /* stays open: a name in it resolves faster than a path from the root */
    char* name;
};

struct tree {
    struct entry* files;
    int64_t count, capacity;
    DIR** folders;
    int64_t folder_count, folder_capacity;
};

/* Room for one more, by doubling. */
static int grow(void** items, int64_t count, int64_t* capacity, size_t size) {
    if (count < *capacity) {
        return 0;
    }
    const int64_t more = *capacity == 0 ? 256 : 2 * *capacity;
    void* moved = realloc(*items, (size_t)more * size);
    if (moved == NULL) {
        return ENOMEM;
    }
    *items = moved;
    *capacity = more;
    return 0;
}

static int add_folder(struct tree* tree, int parent, const char* name) {
    const int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    DIR* folder = fdopendir(fd);
    int error = folder == NULL ? errno : 0;
    if (error == 0) {
        error = grow((void**)&tree->folders, tree->folder_count, &tree->folder_capacity,
                     sizeof *tree->folders);
    }
    if (error == 0) {
        tree->folders[tree->folder_count++] = folder;
    } else if (folder != NULL) {
        closedir(folder);
    } else {
        close(fd);
    }
    return error;
}

static int add_file(struct tree* tree, int folder, const char* name) {
    const int error = grow((void**)&tree->files, tree->count, &tree->capacity, sizeof *tree->files);
    char* copy = error == 0 ? strdup(name) : NULL;
    if (copy == NULL) {
        return ENOMEM;
    }
    tree->files[tree->count++] = (struct entry){folder, copy};
    return 0;
}

static int list(struct tree* tree, int64_t index) {
    DIR* folder = tree->folders[index];
    for (;;) {
        errno = 0;
        const struct dirent* entry = readdir(folder);
        if (entry == NULL) {
            return errno;
        }
        int error = 0;
        if (entry->d_type == DT_REG) {
            error = add_file(tree, dirfd(folder), entry->d_name);
        } else if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
                   strcmp(entry->d_name, "..") != 0) {
            error = add_folder(tree, dirfd(folder), entry->d_name);
        } else if (entry->d_type == DT_UNKNOWN) {
            error = ENOTSUP; /* a file system that makes us ask for each type */
        }
        if (error != 0) {
            return error;
        }
    }
}

static int read_header(void* context, int64_t index, int worker) {
    (void)worker;
    const struct entry* entry = &((const struct tree*)context)->files[index];
    char header[HEADER_BYTES];
    const int fd = openat(entry->folder, entry->name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    const int error = pread(fd, header, sizeof header, 0) < 0 ? errno : 0;
    close(fd);
    return error;
}

/* Walks the tree, then opens each file, reads its first 8 KiB and closes it. 0 or an errno. */
int limit_floor(const char* root, int threads, int64_t* files) {
    struct tree tree = {0};
    int error = add_folder(&tree, AT_FDCWD, root);
    for (int64_t index = 0; error == 0 && index < tree.folder_count; ++index) {
        error = list(&tree, index);
    }
    if (error == 0) {
        struct pool pool = {.work = read_header, .context = &tree, .count = tree.count};
        error = run(&pool, threads);
    }
    *files = tree.count;
    for (int64_t index = 0; index < tree.count; ++index) {
        free(tree.files[index].name);
    }
    for (int64_t index = 0; index < tree.folder_count; ++index) {
        closedir(tree.folders[index]);
    }
    free(tree.files);
    free(tree.folders);
    return error;
}
