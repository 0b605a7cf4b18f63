// Prints the rows of a Parquet file as JSON: read by the packages hyparquet and hyparquet-compressors, which know nothing of Headwater.
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'

const file = await asyncBufferFromFile(process.argv[2])
const rows = await parquetReadObjects({ file, compressors })
const { num_rows } = await parquetMetadataAsync(file)
const plain = (key, value) => (typeof value === 'bigint' ? Number(value) : value)
console.log(JSON.stringify({ count: num_rows, rows }, plain))
