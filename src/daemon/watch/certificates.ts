/** The certificates of the settings, and those that SMSCs show when we connect. */
import type { TLSSocket } from 'node:tls'
import type { Settings } from '../../config/index.ts'
import { openSocket, type Connect } from '../../smpp/session/index.ts'
import type { CertificateFile, Certificates } from '../../watch/index.ts'

type TlsFiles = { ca?: string | undefined; cert?: string | undefined } | undefined

export function certificateFiles({ lines, redis, postgres }: Settings): CertificateFile[] {
  const places: [string, TlsFiles][] = [
    ...lines.map(({ name, smsc }): [string, TlsFiles] => [`lines.${name}.smsc.tls`, smsc.tls]),
    ['redis.tls', redis === 'embedded' ? undefined : redis.tls],
    ['postgres.tls', postgres === 'embedded' ? undefined : postgres.tls],
  ]
  return places.flatMap(([where, tls]) =>
    (['ca', 'cert'] as const).flatMap((key) => (tls?.[key] ? [{ setting: `${where}.${key}`, file: tls[key] }] : [])),
  )
}

/** Opens sockets, and notes the certificate of a peer with TLS. */
export function notingConnect(certificates: Pick<Certificates, 'saw'>): Connect {
  return (to, tls, ready) => {
    const socket = openSocket(to, tls, () => {
      if (tls) certificates.saw(`${to.host}:${to.port}`, (socket as TLSSocket).getPeerCertificate().valid_to)
      ready()
    })
    return socket
  }
}
