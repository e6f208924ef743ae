/* SPDX-License-Identifier: Apache-2.0 */
/* recvmmsg, sendmmsg, and nothing between. */
#include "fleet/echo.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BATCH         32
#define MESSAGE_MAX   1500
#define SOCKET_BUFFER (8 << 20)

static _Noreturn void echo(int fd)
{
    static struct mmsghdr messages[BATCH];
    static struct iovec vectors[BATCH];
    static struct sockaddr_in peers[BATCH];
    static unsigned char bytes[BATCH][MESSAGE_MAX];
    for (;;) {
        for (int i = 0; i < BATCH; i++) {
            vectors[i] = (struct iovec){bytes[i], MESSAGE_MAX};
            messages[i].msg_hdr = (struct msghdr){.msg_name = &peers[i],
                                                  .msg_namelen = sizeof peers[i],
                                                  .msg_iov = &vectors[i],
                                                  .msg_iovlen = 1};
        }
        int n = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
        for (int i = 0; i < n; i++) {
            vectors[i].iov_len = messages[i].msg_len;
        }
        int sent = 0;
        while (sent < n) {
            int k = sendmmsg(fd, messages + sent, (unsigned)(n - sent), 0);
            sent += k > 0 ? k : (errno != EINTR && errno != EAGAIN && errno != ENOBUFS);
        }
    }
}

pid_t echo_start(struct sockaddr_in *address)
{
    int size = SOCKET_BUFFER;
    socklen_t len = sizeof *address;
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)address, sizeof *address) != 0 ||
        getsockname(fd, (struct sockaddr *)address, &len) != 0) {
        perror("echo's socket");
        exit(1);
    }
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
    pid_t pid = fork();
    if (pid < 0) {
        perror("fork");
        exit(1);
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        echo(fd);
    }
    close(fd);
    return pid;
}

void echo_stop(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}
