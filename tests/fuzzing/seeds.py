"""Valid inputs that the fuzzers begin with; small, so that a mutation is likely to hit what matters."""

from __future__ import annotations

import gzip
import io
import zipfile

from tests.unit.sequences.made_files import genbank

GENE = "ATGAAATGGCTGTAA"
GENOME = "CC" + GENE + "GG" + "TTATTCCAT" + "CC"
PROTEIN = "MKVLAYRDEHGW"

FASTA = (
    f">c one [gene=a] [location=3..17] transl_table=4\n{GENOME}\n>d x\r\nACGT\r\nNNRYacgt\r\n>e\n\n".encode(),
    f">lcl|c_cds_1 [gene=thrL] [protein_id=P.1] [location=complement(join(1..3,5..20))]\n{GENE}\n".encode(),
    f">sp|P0A6F5|CH60_ECOLI 60 kDa OS=Escherichia GN=groL\n{PROTEIN}\n>b\nMK*\n".encode(),
    b">ENST1 cds chromosome:GRCh38:7:100:200:-1 gene:ENSG1 gene_symbol:X\nATGAAATAA\n\n>\nAC GT\n",
)
FASTQ = (b"@r1\nACGT\n+\nIIII\n@r2 x\nGGTT\n+r2\n!!!!\n", b"\n@r\r\nAC\r\n+\r\nII\r\n")

GENBANK = (
    genbank(
        GENOME,
        '3..17\n/gene="a"\n/codon_start=1\n/transl_table=11\n/translation="MKWL"\ncomplement(20..28)\n/locus_tag="b"',
        name="c",
    ).encode(),
    genbank(
        GENOME,
        'join(25..32,1..7)\n/gene="ring"\n/transl_except=(pos:3..5,aa:Sec)\n<3..>17\n/pseudo\norder(1..3,5..6)\n'
        '/note="x\n+y"',
        circular=True,
        name="c",
    ).encode(),
)
EMBL = (
    (
        "ID   X00001; SV 1; circular; genomic DNA; STD; PRO; 32 BP.\nXX\nAC   X00001;\nXX\nDE   a test\nXX\n"
        "FH   Key             Location/Qualifiers\nFH\n"
        'FT   source          1..32\nFT                   /organism="x"\n'
        'FT   CDS             3..17\nFT                   /gene="a"\nFT                   /transl_table=11\n'
        "XX\nSQ   Sequence 32 BP; 8 A; 8 C; 8 G; 8 T; 0 other;\n"
        f"     {GENOME[:10]} {GENOME[10:20]} {GENOME[20:30]} {GENOME[30:]}        32\n//\n"
    ).encode(),
)
GFF = (
    (
        b"##gff-version 3\n##sequence-region c 1 32\nc\tx\tregion\t1\t32\t.\t+\t.\tID=c;Is_circular=true\n"
        b"c\tx\tgene\t3\t17\t.\t+\t.\tID=g;Name=a%20b\nc\tx\tCDS\t3\t17\t.\t+\t0\tID=a;Parent=g;product=x%3By\n"
        b"c\tx\tCDS\t20\t28\t.\t-\t0\tID=b;transl_table=4;transl_except=(pos:20..22,aa:Sec)\n"
    ),
    (
        b'c\tx\tCDS\t3\t14\t.\t+\t0\tgene_id "G"; transcript_id "a"; tag "x"; tag "cds_start_NF";\n'
        b'c\tx\tstop_codon\t15\t17\t.\t+\t0\ttranscript_id "a";\n'
    ),
    f"##gff-version 3\nc\tx\tCDS\t3\t17\t.\t+\t0\tID=a\n##FASTA\n>c\n{GENOME}\n".encode(),
)
BED = (
    b"c\t2\t17\ta\t0\t+\nc\t19\t28\tb\t0\t-\n",
    b"track name=x\n#c\nc\t0\t32\tg\t0\t+\t0\t32\t0\t2\t5,6,\t0,20,\n",
    b"browser position c\nc 1 4\nd 0 3 x\n",
)
BED_NAMED = (b"c\t2\t17\ta\t0\t+\nd\t0\t3\ta\t0\t-\n", b"c 0 32 a 0 + 0 32 0 2 5,6, 0,20,\n")
VCF = (
    b"##fileformat=VCFv4.3\n##contig=<ID=c,length=32>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS\n"
    b"c\t3\trs1\tA\tG,T\t50\tPASS\tDP=7\tGT\t0/1\nc\t5\t.\tGAA\tG\t.\t.\t.\tGT\t1\n",
    b"##fileformat=VCFv4.2\r\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\r\n"
    b"c\t4\t.\tT\t<DEL>\t.\t.\tSVTYPE=DEL\r\nc\t6\t.\tA\tA[d:4[\t.\t.\t.\r\nc\t7\t.\tA\t*,.\t.\t.\tX;Y=1\r\n",
)
MUTATIONS = (
    b"mutant,mutated_sequence,DMS_score\nM1A,AKVLAYRDEHGW,0.5\nK2A:V3G,MAGLAYRDEHGW,-1e-3\nWT,MKVLAYRDEHGW,NA\n",
    b"mutant\tprotein\tscore\nM1A\tp\t1\nK2*\tp\t.\n",
    b"M1A\nK2A;V3G\n# note\nWT\n",
)
TABLES = (
    b"sequence\tlabel\tvalue\tsplit\n"
    + b"".join(
        f"{GENOME[i:] + GENOME[:i]}\t{'ab'[i % 2]}\t{i}.5\t{('train', 'valid', 'test')[i % 3]}\n".encode()
        for i in range(8)
    ),
    b"id,sequence,label\n" + b"".join(f'r{i},"{GENOME[i:]}","x;{"yz"[i % 2]}"\n'.encode() for i in range(6)),
    b"\xef\xbb\xbfsequence;label\r\nACGTACGT;1\r\nTTGACGTA;0\r\n",
)
TARGET = (
    f">a TARGET=1.5 SET=train VALIDATION=False\n{PROTEIN}\n>b TARGET=-2e3 SET=test\nMKV\n".encode(),
    f">a TARGET=x SET=train\n{PROTEIN}\n>b TARGET=y SET=train VALIDATION=True\nMKV\n".encode(),
)
STRINGS = (
    b">a SET=train\nHHHEEECCCHHH\n>b SET=test\nEEEECCCCHHHH\n",
    b">a\nHHHHHHHHHHHH\n>b\nCCCCCCCCCCCC\n",
)
YAML = (
    b"seed: 1\npretrain:\n  corpus: c\n  steps: 10\n  optimiser: {lr: 1e-4}\n  model: {preset: tiny}\n",
    b"tokenize:\n  species:\n    - {name: a, code: 11, sources: [{kind: cds, path: [x.fa, 'y.fa']}]}\n"
    b"  tokens: {dna: kmer, k: 3, stride: 1}\n",
    b"finetune:\n  model: m\n  data: {path: t.tsv, sequence: seq, missing: [NA, '']}\n"
    b"  targets: {y: {kind: binary}}\n",
    b"# only a comment\nembed: {model: m, layers: [1, -1], pooling: [mean]}\nthreads: 2\n...\n",
)
REGIONS = (b"c:1-10", b"c", b"NC_1.1:1,000-2,000", b"a:b:3-4")


CODONS = (
    b"codon\tanswer\tsupport\nCTG\tS\t1\nTAA\t*\t\nATA\t?\t0.4\nTAG\t-\t\nATG\tM\t0.95\n",
    b"answer\tcodon\r\nK\tAAA\r\n",
)


def packed(data: bytes) -> tuple[bytes, ...]:
    """The same bytes as gzip, as two members, as a zip of one file."""
    half = len(data) // 2
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("in/x.fa", data)
    return (
        gzip.compress(data, mtime=0),
        gzip.compress(data[:half], mtime=0) + gzip.compress(data[half:], mtime=0),
        out.getvalue(),
    )


def parquet(text: bytes) -> bytes:
    """A table of text as Parquet."""
    import pyarrow as pa
    from pyarrow import parquet as pq

    lines = [line.split("\t") for line in text.decode().splitlines()]
    columns = {name: [row[i] for row in lines[1:]] for i, name in enumerate(lines[0])}
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()
