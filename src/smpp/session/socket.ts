/** Opens a new socket for every attempt: TCP or TLS. It never falls back from one to the other. */
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Endpoint, TlsSettings } from './settings.ts'

const KEEP_ALIVE_MS = 60_000

/** How a link gets its socket: openSocket, except in tests without a network. */
export type Connect = typeof openSocket

/** Starts to connect. `ready` is called when octets may be written (with TLS: when the certificate was accepted). */
export function openSocket(to: Endpoint, tls: TlsSettings | undefined, ready: () => void): Socket {
  // SNI takes names only. (RFC 6066 §3)
  const named = isIP(to.host) ? {} : { servername: to.host }
  const socket = tls
    ? connectTls({ minVersion: 'TLSv1.2', ...named, ...tls, host: to.host, port: to.port }, ready)
    : connectTcp({ host: to.host, port: to.port }, ready)
  // Nagle's algorithm delays a small PDU by 40 ms and more.
  socket.setNoDelay(true)
  socket.setKeepAlive(true, KEEP_ALIVE_MS)
  return socket
}

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|WRONG_VERSION|SSL/

/** True for an error that means: this is not the peer that we wanted. */
export function isForeign(error: Error | undefined): boolean {
  return CERTIFICATE.test(String((error as NodeJS.ErrnoException | undefined)?.code ?? ''))
}
