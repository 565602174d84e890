/** The network: one USSD transaction per subscriber, and how each dialect puts it into SMPP, from the network's end. */
export { networkCodingOf } from './by-name.ts'
export { serviceNumber, type DecodedSubmit, type NetworkCoding, type NetworkRequest } from './coding.ts'
export { network, type DeliverRequest, type Handset, type HandsetScreen, type Network } from './network.ts'
export { profileCoding } from './profile-encoder.ts'
export { standardCoding } from './standard.ts'
