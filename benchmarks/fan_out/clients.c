/* Socket.IO clients, all on one thread, that count the ticks they are told and note how old each one is.
 *
 *     clients PORT COUNT STALLED HEADER
 *
 * HEADER is a line of every request, empty for none. The first STALLED clients stop reading once they are connected.
 * Says {"connected":COUNT} when all are, then takes commands, a line each:
 *
 *     start      begins to count
 *     stop       says what has come in since
 *     reconnect  drops all connections, opens them again and fetches /snapshot for each, all at once; says how many
 *                seconds it took until each had its snapshot and a tick
 *
 * A tick's age is told by its first field: 42["tick",{"…":TIME, in milli- or microseconds since 1970. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { AT_ONCE = 100, BUCKET_US = 100, BUCKETS = 600000, EVENTS = 1024, KEPT = 144, STALLED_BUFFER = 4096 };

/* The sample nonce of RFC 6455, 1.3: what it is answered is not checked. */
#define UPGRADE                                                                                                        \
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"              \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define FETCH "GET /snapshot HTTP/1.1\r\nAccept-Encoding: gzip\r\nConnection: close\r\n"

struct connection {
    int fd;
    enum { GONE, DIALLING, ASKING, OPENING, LISTENING, FETCHING } stage;
    bool fetches, stalls, current;
    uint64_t seen, whole; /* bytes of this frame, or of this answer's head, that were received, and that it has */
    unsigned char kept[KEPT + 1]; /* its first bytes: no text that matters is longer */
};

static struct connection *connections; /* those that listen, and behind them as many that fetch */
static int count, dialled, opened, current, epoll;
static const char *port, *header;
static bool counting, returning;
static uint64_t began, received, bytes, oldest;
static unsigned ages[BUCKETS];
static unsigned char buffer[1 << 16];

static void fail(const char *what, const char *why) {
    fprintf(stderr, "%s: %.40s\n", what, why);
    exit(1);
}

static uint64_t now_us(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void watch(struct connection *c, int how, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (epoll_ctl(epoll, how, c->fd, &event)) fail("epoll_ctl", strerror(errno));
}

static void dial(struct connection *c) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) fail("socket", strerror(errno));
    int one = 1, small = STALLED_BUFFER;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (c->stalls) setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) fail("connect", strerror(errno));
    c->stage = DIALLING;
    c->current = false;
    c->seen = c->whole = 0;
    watch(c, EPOLL_CTL_ADD, EPOLLOUT);
}

static void dial_more(int at_once) {
    while (dialled < count && dialled - opened < at_once) dial(&connections[dialled++]);
}

static void hang_up(struct connection *c) {
    if (c->stage != GONE) close(c->fd);
    c->stage = GONE;
}

static void ask(struct connection *c) {
    if (dprintf(c->fd, "%sHost: localhost:%s\r\n%s%s\r\n", c->fetches ? FETCH : UPGRADE, port, header,
                *header ? "\r\n" : "") < 0)
        fail("no connection", strerror(errno));
    c->stage = ASKING;
    watch(c, EPOLL_CTL_MOD, EPOLLIN);
}

/* A frame masked with zeros, which leave it as it is. */
static void say(struct connection *c, unsigned char opcode, const void *payload, size_t size) {
    unsigned char frame[6 + 125] = {0x80 | opcode, (unsigned char)(0x80 | size)};
    memcpy(frame + 6, payload, size);
    if (send(c->fd, frame, 6 + size, MSG_NOSIGNAL) != (ssize_t)(6 + size)) hang_up(c);
}

static void become_current(struct connection *c) {
    if (!returning || c->current) return;
    c->current = true;
    if (++current < 2 * count) return;
    returning = false;
    printf("{\"seconds\":%.4f}\n", (double)(now_us(CLOCK_MONOTONIC) - began) / 1e6);
}

static void tick(struct connection *c, const char *text, uint64_t now) {
    become_current(c);
    if (!counting) return;
    received++;
    bytes += c->whole;
    const char *colon = strchr(text, ':');
    uint64_t at = colon ? strtoull(colon + 1, NULL, 10) : 0;
    if (!at) return;
    if (at < 100000000000000) at *= 1000;
    uint64_t age = now > at ? now - at : 0, bucket = age / BUCKET_US;
    if (age > oldest) oldest = age;
    ages[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
}

static void frame(struct connection *c, size_t head, uint64_t now) {
    size_t size = c->whole - head;
    char *text = (char *)c->kept + head;
    switch (c->kept[0]) {
    case 0x81:
        if (size < KEPT - head) text[size] = 0;
        if (!strncmp(text, "42[\"tick\",", 10) && c->stage == LISTENING) tick(c, text, now);
        else if (!strncmp(text, "0{", 2)) say(c, 1, "40", 2);
        else if (!strcmp(text, "2")) say(c, 1, "3", 1);
        else if (!strncmp(text, "40", 2)) {
            c->stage = LISTENING;
            if (c->stalls) watch(c, EPOLL_CTL_DEL, 0);
            if (++opened == count && !returning) printf("{\"connected\":%d}\n", count);
            dial_more(AT_ONCE);
        } else if (!strncmp(text, "44", 2)) fail("refused", text);
        break;
    case 0x89: say(c, 10, text, size); break;
    case 0x88: hang_up(c);
    }
}

/* How many bytes of the frame have to be there before more can be told of it; sets `whole` once that is known. */
static uint64_t needed(struct connection *c, size_t *head) {
    unsigned size = c->kept[1] & 127;
    *head = size < 126 ? 2 : size == 126 ? 4 : 10;
    if (c->seen < 2) return 2;
    if (c->seen < *head) return *head;
    if (!c->whole) {
        uint64_t payload = size < 126 ? size : 0;
        for (size_t i = 2; i < *head; i++) payload = payload << 8 | c->kept[i];
        c->whole = *head + payload;
    }
    return c->whole;
}

static void keep(struct connection *c, const unsigned char *from, size_t size) {
    if (c->seen < KEPT) memcpy(c->kept + c->seen, from, size < KEPT - c->seen ? size : KEPT - c->seen);
    c->seen += size;
}

static void take_frames(struct connection *c, const unsigned char *from, size_t size, uint64_t now) {
    size_t head;
    while (size && c->stage != GONE) {
        uint64_t missing = needed(c, &head) - c->seen;
        size_t part = size < missing ? size : missing;
        keep(c, from, part);
        from += part;
        size -= part;
        if (needed(c, &head) == c->seen) {
            frame(c, head, now);
            c->seen = c->whole = 0;
        }
    }
}

/* The head of an HTTP answer; `whole` counts how much of the empty line that ends it has come. */
static size_t take_head(struct connection *c, const unsigned char *from, size_t size) {
    for (size_t taken = 0; taken < size;) {
        unsigned char byte = from[taken];
        keep(c, from + taken++, 1);
        c->whole = byte == "\r\n\r\n"[c->whole] ? c->whole + 1 : byte == '\r';
        if (c->whole < 4) continue;
        if (memcmp(c->kept, c->fetches ? "HTTP/1.1 200" : "HTTP/1.1 101", 12)) fail("refused", (char *)c->kept);
        c->stage = c->fetches ? FETCHING : OPENING;
        c->seen = c->whole = 0;
        return taken;
    }
    return size;
}

static void receive(struct connection *c) {
    ssize_t size = recv(c->fd, buffer, sizeof buffer, 0);
    if (size <= 0) {
        if (size < 0 && errno == EAGAIN) return;
        if (c->stage != FETCHING && c->stage != LISTENING) fail("no connection", strerror(errno));
        if (c->stage == FETCHING && !size) become_current(c);
        hang_up(c);
        return;
    }
    size_t taken = c->stage == ASKING ? take_head(c, buffer, (size_t)size) : 0;
    if (c->stage == OPENING || c->stage == LISTENING)
        take_frames(c, buffer + taken, (size_t)size - taken, now_us(CLOCK_REALTIME));
}

static double quantile_ms(double q) {
    uint64_t all = 0, below = 0;
    for (size_t i = 0; i < BUCKETS; i++) all += ages[i];
    size_t i = 0;
    while (i < BUCKETS - 1 && (double)(below += ages[i]) <= q * (double)all) i++;
    return (double)(i + 1) * BUCKET_US / 1000;
}

static void say_received(void) {
    int listening = 0;
    for (int i = 0; i < count; i++) listening += connections[i].stage == LISTENING;
    printf("{\"received\":%lu,\"bytes\":%lu,\"seconds\":%.4f,\"connected\":%d,", received, bytes,
           (double)(now_us(CLOCK_MONOTONIC) - began) / 1e6, listening);
    printf("\"p50_ms\":%.1f,\"p99_ms\":%.1f,\"max_ms\":%.1f}\n", quantile_ms(.5), quantile_ms(.99), (double)oldest / 1e3);
}

static void obey(void) {
    char command[64];
    ssize_t size = read(STDIN_FILENO, command, sizeof command - 1);
    if (size <= 0) exit(0);
    command[size] = 0;
    if (!strcmp(command, "stop\n")) say_received();
    counting = !strcmp(command, "start\n");
    returning = !strcmp(command, "reconnect\n");
    began = now_us(CLOCK_MONOTONIC);
    if (counting) {
        received = bytes = oldest = 0;
        memset(ages, 0, sizeof ages);
    }
    if (returning) {
        for (int i = 0; i < 2 * count; i++) hang_up(&connections[i]);
        dialled = opened = current = 0;
        dial_more(count);
        for (int i = count; i < 2 * count; i++) dial(&connections[i]);
    }
}

int main(int words, char **word) {
    if (words != 5) return 2;
    port = word[1], count = atoi(word[2]), header = word[4];
    connections = calloc(2 * (size_t)count, sizeof *connections);
    epoll = epoll_create1(0);
    if (!connections || epoll < 0) return 1;
    for (int i = 0; i < atoi(word[3]); i++) connections[i].stalls = true;
    for (int i = count; i < 2 * count; i++) connections[i].fetches = true;
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct epoll_event events[EVENTS] = {{.events = EPOLLIN}}; /* of standard input: the one without a connection */
    epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &events[0]);
    dial_more(AT_ONCE);
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            if (!c) {
                obey();
                break; /* the other events may be of connections that it dropped */
            }
            if (c->stage == DIALLING) ask(c);
            else if (c->stage != GONE) receive(c);
        }
    }
}
