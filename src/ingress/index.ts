/** The HTTP ingress: our flows for callers over HTTP. */
export { type CallerSettings, createIngressAccess, type IngressAccess } from './access.ts'
export { ingressContract } from './contracts.ts'
export { ingressLine, type IngressLineDeps } from './line.ts'
export { openIngress } from './server.ts'
