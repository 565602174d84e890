/** The simulator's own codec of PDUs and texts, from the specification alone. It shares no code with the daemon's. */
export { readPdu, writePdu, integerField, octetsOfText, textField, tlv, tlv8 } from './codec.ts'
export { COMMANDS_BY_ID, COMMANDS_BY_NAME, nameOfStatus, COMMAND_STATUS, TAGS } from './commands.ts'
export { pduFramer } from './framer.ts'
export { readShifted, shiftsIn } from './national.ts'
export { gsm7, isOver, readGsm7, readSms, readUcs2, readUssd, ucs2, unpack, writeTyped, type Decoding } from './text.ts'
