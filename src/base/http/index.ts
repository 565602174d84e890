/** What all our HTTP servers and requests keep to: addresses, callers, connections, times, signatures. */
export { isAllowed, isLoopback, isLoopbackAddress, urlFault } from './addresses.ts'
export { askedOf, FOREIGN_PAGE, fromForeignPage, notFromHere } from './callers.ts'
export { boundConnections } from './connections.ts'
export { createServer } from './node-http.ts'
export { httpTimes } from './server-times.ts'
export { signatureOf, type SignedRequest } from './signed-request.ts'
