/** The HTTP ingress: our flows for those who speak HTTP instead of SMPP. */
export { ingressContract } from './contracts.ts'
export { ingressLine, type IngressLineDeps } from './line.ts'
export { openIngress } from './server.ts'
