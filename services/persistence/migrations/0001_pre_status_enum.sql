-- The status type of Prisma's tables. Labels an application added stay; in its own file because a label
-- that was added to an existing type may only be used after the transaction that added it.

DO $$
BEGIN
    IF to_regtype('"ImageJobStatus"') IS NULL THEN
        CREATE TYPE "ImageJobStatus" AS ENUM ('PENDING', 'GENERATING', 'COMPLETED', 'FAILED');
    END IF;
END
$$;

ALTER TYPE "ImageJobStatus" ADD VALUE IF NOT EXISTS 'PENDING';
ALTER TYPE "ImageJobStatus" ADD VALUE IF NOT EXISTS 'GENERATING';
ALTER TYPE "ImageJobStatus" ADD VALUE IF NOT EXISTS 'COMPLETED';
ALTER TYPE "ImageJobStatus" ADD VALUE IF NOT EXISTS 'FAILED';
