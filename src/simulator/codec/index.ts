/** The simulator's own coder of PDUs and texts, from the specification alone: it shares no line with the daemon's. */
export { decode, encode, integerField, octetsOfText, textField, tlv, tlv8 } from './codec.ts'
export { COMMANDS_BY_ID, COMMANDS_BY_NAME, nameOfStatus, STATUS, TAGS } from './commands.ts'
export { framer } from './framer.ts'
export { readShifted, shiftsIn } from './national.ts'
export { gsm7, isOver, readGsm7, readSms, readUcs2, readUssd, ucs2, unpack, writeTyped, type Decoding } from './text.ts'
