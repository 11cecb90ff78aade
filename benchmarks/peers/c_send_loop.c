/* The physical limit: a server that answers a Socket.IO client's handshake and then does nothing but send().
 *
 *     c_send_loop PORT RATE SIZE
 *
 * On SIGUSR2 it begins to send the tick of benchmarks/fan_out/tick.py, of SIZE bytes (126 to 65535), RATE times a
 * second. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 20000, EVENTS = 256, HEAD = 4, LARGEST = 65535, SEND_BUFFER = 262144 };

/* Accepts the sample nonce of RFC 6455, which our clients send; behind it the frame of Engine.IO's `open`. */
static const char welcome[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x57"
                              "0{\"sid\":\"0\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000,"
                              "\"maxPayload\":100000}";
static const char connected[] = "\x81\x0d"
                                "40{\"sid\":\"0\"}";

static int clients[CLIENTS], count, timer;
static struct itimerspec period;

static void begin(int signal) {
    (void)signal;
    timerfd_settime(timer, 0, &period, NULL);
}

static void leave(int client) {
    for (int i = 0; i < count; i++)
        if (clients[i] == client) clients[i] = clients[--count];
    close(client);
}

static void answer(int client) {
    char said[4096];
    ssize_t size = recv(client, said, sizeof said, MSG_DONTWAIT);
    if (size <= 0) leave(client);
    else if (said[0] == 'G') send(client, welcome, sizeof welcome - 1, MSG_NOSIGNAL);
    else if (count < CLIENTS && size == 8 && !memcmp(said + 6, "40", 2)) { /* our clients mask with zeros */
        send(client, connected, sizeof connected - 1, MSG_NOSIGNAL);
        clients[count++] = client;
    }
}

/* A client that cannot take all of a tick at once is dropped, and so is missed. */
static void tell(int size) {
    static char frame[HEAD + LARGEST + 1] = "\x81\x7e";
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    frame[2] = (char)(size >> 8), frame[3] = (char)size;
    int head = sprintf(frame + HEAD, "42[\"tick\",{\"at\":%ld,\"pad\":\"", now.tv_sec * 1000000 + now.tv_nsec / 1000);
    memset(frame + HEAD + head, 'x', (size_t)(size - head - 3));
    memcpy(frame + HEAD + size - 3, "\"}]", 3);
    for (int i = count; i-- > 0;)
        if (send(clients[i], frame, (size_t)(HEAD + size), MSG_DONTWAIT | MSG_NOSIGNAL) != HEAD + size)
            leave(clients[i]);
}

int main(int words, char **word) {
    if (words != 4) return 2;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(word[1]))};
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1, buffer = SEND_BUFFER, all = epoll_create1(0);
    timer = timerfd_create(CLOCK_MONOTONIC, 0);
    period.it_value.tv_nsec = period.it_interval.tv_nsec = 1000000000 / atoi(word[2]);
    signal(SIGUSR2, begin);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 4096)) return 1;
    struct epoll_event events[EVENTS] = {{.events = EPOLLIN, .data.fd = listener}};
    epoll_ctl(all, EPOLL_CTL_ADD, listener, &events[0]);
    events[0].data.fd = timer;
    epoll_ctl(all, EPOLL_CTL_ADD, timer, &events[0]);
    for (;;) {
        int ready = epoll_wait(all, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            int from = events[i].data.fd;
            uint64_t expired;
            if (from == timer && read(timer, &expired, sizeof expired) > 0) tell(atoi(word[3]));
            else if (from == listener) {
                struct epoll_event client = {.events = EPOLLIN, .data.fd = accept(listener, NULL, NULL)};
                setsockopt(client.data.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                setsockopt(client.data.fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
                epoll_ctl(all, EPOLL_CTL_ADD, client.data.fd, &client);
            } else if (from != timer) answer(from);
        }
    }
}
