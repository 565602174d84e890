/*
 * Every TCP socket of a program without Nagle's wait: Kannel has no setting for it, and with the wait it answers some
 * 500 turns a second. `cc -shared -fPIC -o nodelay.so nodelay.c -ldl`, then LD_PRELOAD. A socket that listens hands it on
 * to those that it accepts.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

int socket(int domain, int type, int protocol) {
  static int (*made)(int, int, int);
  if (!made) made = (int (*)(int, int, int))dlsym(RTLD_NEXT, "socket");
  int fd = made(domain, type, protocol);
  int on = 1;
  if (fd >= 0 && (domain == AF_INET || domain == AF_INET6) && (type & 0xf) == SOCK_STREAM)
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}
