/** The part of npm `smpp` 0.5.1 that we use: its tables and field coders. Its Session is not fit for a daemon. */
declare module 'smpp' {
  export interface FieldType {
    read(buffer: Buffer, offset: number): string | number | Buffer
    write(value: string | number | Buffer, buffer: Buffer, offset: number): void
    size(value: string | number | Buffer): number
    default: string | number | Buffer
  }

  export interface Field {
    type: FieldType
    /** Text and time conversions that lose octets. The codec deletes them. */
    filter?: object
  }

  export interface Command {
    id: number
    command: string
    params?: Record<string, Field>
  }

  interface Tables {
    commands: Record<string, Command>
    tlvs: Record<string, { id: number; filter?: object }>
    types: Record<'int8' | 'int16' | 'int32' | 'cstring' | 'string' | 'buffer', FieldType>
  }

  const smpp: Tables
  export default smpp
}
