-- Prisma's tables as Prisma names things. What exists is kept as it is: only what is missing is added.
-- Unqualified names stand in the schema of DATABASE_URL (`?schema=`), which is the whole search path here.

CREATE TABLE IF NOT EXISTS users (
    id text CONSTRAINT users_pkey PRIMARY KEY,
    "clerkId" text NOT NULL,
    email text,
    name text,
    "createdAt" timestamp(3) NOT NULL DEFAULT (CURRENT_TIMESTAMP AT TIME ZONE 'UTC')
);

CREATE TABLE IF NOT EXISTS organizations (
    id text CONSTRAINT organizations_pkey PRIMARY KEY,
    "clerkId" text,
    name text,
    "createdAt" timestamp(3) NOT NULL DEFAULT (CURRENT_TIMESTAMP AT TIME ZONE 'UTC')
);

CREATE TABLE IF NOT EXISTS organization_memberships (
    id text CONSTRAINT organization_memberships_pkey PRIMARY KEY,
    "userId" text NOT NULL,
    "organizationId" text NOT NULL,
    role text NOT NULL DEFAULT 'member',
    "createdAt" timestamp(3) NOT NULL DEFAULT (CURRENT_TIMESTAMP AT TIME ZONE 'UTC')
);

CREATE TABLE IF NOT EXISTS image_generations (
    id text CONSTRAINT image_generations_pkey PRIMARY KEY,
    prompt text NOT NULL,
    "inputImageUrl" text,
    "numImages" integer NOT NULL DEFAULT 1,
    size text NOT NULL DEFAULT '1024x1024',
    format text NOT NULL DEFAULT 'PNG',
    style text,
    quality text NOT NULL DEFAULT 'standard',
    model text,
    "authorId" text NOT NULL,
    "organizationId" text,
    status "ImageJobStatus" NOT NULL DEFAULT 'PENDING',
    progress integer NOT NULL DEFAULT 0,
    "createdAt" timestamp(3) NOT NULL DEFAULT (CURRENT_TIMESTAMP AT TIME ZONE 'UTC'),
    "completedAt" timestamp(3)
);

CREATE TABLE IF NOT EXISTS image_files (
    id text CONSTRAINT image_files_pkey PRIMARY KEY,
    "generationId" text NOT NULL,
    filename text NOT NULL,
    "s3Key" text NOT NULL,
    "fileUrl" text NOT NULL,
    "fileSize" integer,
    format text,
    width integer,
    height integer,
    "aspectRatio" text,
    metadata jsonb,
    "createdAt" timestamp(3) NOT NULL DEFAULT (CURRENT_TIMESTAMP AT TIME ZONE 'UTC')
);

CREATE TABLE IF NOT EXISTS video_generations (
    id text CONSTRAINT video_generations_pkey PRIMARY KEY,
    prompt text NOT NULL,
    "inputImageUrl" text,
    "numVideos" integer NOT NULL DEFAULT 1,
    size text NOT NULL DEFAULT '1280x720',
    format text NOT NULL DEFAULT 'MP4',
    "durationSeconds" double precision NOT NULL DEFAULT 4,
    fps integer NOT NULL DEFAULT 24,
    style text,
    quality text NOT NULL DEFAULT 'standard',
    model text,
    "authorId" text NOT NULL,
    "organizationId" text,
    status "ImageJobStatus" NOT NULL DEFAULT 'PENDING',
    progress integer NOT NULL DEFAULT 0,
    "createdAt" timestamp(3) NOT NULL DEFAULT (CURRENT_TIMESTAMP AT TIME ZONE 'UTC'),
    "completedAt" timestamp(3)
);

CREATE TABLE IF NOT EXISTS video_files (
    id text CONSTRAINT video_files_pkey PRIMARY KEY,
    "generationId" text NOT NULL,
    filename text NOT NULL,
    "s3Key" text NOT NULL,
    "fileUrl" text NOT NULL,
    "fileSize" integer,
    format text,
    width integer,
    height integer,
    "aspectRatio" text,
    "durationSeconds" double precision,
    fps integer,
    "thumbnailUrl" text,
    metadata jsonb,
    "createdAt" timestamp(3) NOT NULL DEFAULT (CURRENT_TIMESTAMP AT TIME ZONE 'UTC')
);

CREATE TABLE IF NOT EXISTS notifications (
    id text CONSTRAINT notifications_pkey PRIMARY KEY,
    "userId" text NOT NULL,
    type text NOT NULL,
    title text NOT NULL,
    message text NOT NULL,
    metadata jsonb,
    "createdAt" timestamp(3) NOT NULL DEFAULT (CURRENT_TIMESTAMP AT TIME ZONE 'UTC')
);

-- Columns that an adopted table lacks. A required one gets a default, so that an application which does not
-- know it can go on inserting; keys (id, author, user, generation) cannot be invented and are reported instead.

ALTER TABLE users
    ADD COLUMN IF NOT EXISTS email text,
    ADD COLUMN IF NOT EXISTS name text,
    ADD COLUMN IF NOT EXISTS "createdAt" timestamp(3) NOT NULL DEFAULT (CURRENT_TIMESTAMP AT TIME ZONE 'UTC');

ALTER TABLE organizations
    ADD COLUMN IF NOT EXISTS "clerkId" text,
    ADD COLUMN IF NOT EXISTS name text,
    ADD COLUMN IF NOT EXISTS "createdAt" timestamp(3) NOT NULL DEFAULT (CURRENT_TIMESTAMP AT TIME ZONE 'UTC');

ALTER TABLE organization_memberships
    ADD COLUMN IF NOT EXISTS role text NOT NULL DEFAULT 'member',
    ADD COLUMN IF NOT EXISTS "createdAt" timestamp(3) NOT NULL DEFAULT (CURRENT_TIMESTAMP AT TIME ZONE 'UTC');

ALTER TABLE image_generations
    ADD COLUMN IF NOT EXISTS prompt text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS "inputImageUrl" text,
    ADD COLUMN IF NOT EXISTS "numImages" integer NOT NULL DEFAULT 1,
    ADD COLUMN IF NOT EXISTS size text NOT NULL DEFAULT '1024x1024',
    ADD COLUMN IF NOT EXISTS format text NOT NULL DEFAULT 'PNG',
    ADD COLUMN IF NOT EXISTS style text,
    ADD COLUMN IF NOT EXISTS quality text NOT NULL DEFAULT 'standard',
    ADD COLUMN IF NOT EXISTS model text,
    ADD COLUMN IF NOT EXISTS "organizationId" text,
    ADD COLUMN IF NOT EXISTS status "ImageJobStatus" NOT NULL DEFAULT 'PENDING',
    ADD COLUMN IF NOT EXISTS progress integer NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS "createdAt" timestamp(3) NOT NULL DEFAULT (CURRENT_TIMESTAMP AT TIME ZONE 'UTC'),
    ADD COLUMN IF NOT EXISTS "completedAt" timestamp(3);

ALTER TABLE image_files
    ADD COLUMN IF NOT EXISTS filename text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS "s3Key" text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS "fileUrl" text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS "fileSize" integer,
    ADD COLUMN IF NOT EXISTS format text,
    ADD COLUMN IF NOT EXISTS width integer,
    ADD COLUMN IF NOT EXISTS height integer,
    ADD COLUMN IF NOT EXISTS "aspectRatio" text,
    ADD COLUMN IF NOT EXISTS metadata jsonb,
    ADD COLUMN IF NOT EXISTS "createdAt" timestamp(3) NOT NULL DEFAULT (CURRENT_TIMESTAMP AT TIME ZONE 'UTC');

ALTER TABLE video_generations
    ADD COLUMN IF NOT EXISTS prompt text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS "inputImageUrl" text,
    ADD COLUMN IF NOT EXISTS "numVideos" integer NOT NULL DEFAULT 1,
    ADD COLUMN IF NOT EXISTS size text NOT NULL DEFAULT '1280x720',
    ADD COLUMN IF NOT EXISTS format text NOT NULL DEFAULT 'MP4',
    ADD COLUMN IF NOT EXISTS "durationSeconds" double precision NOT NULL DEFAULT 4,
    ADD COLUMN IF NOT EXISTS fps integer NOT NULL DEFAULT 24,
    ADD COLUMN IF NOT EXISTS style text,
    ADD COLUMN IF NOT EXISTS quality text NOT NULL DEFAULT 'standard',
    ADD COLUMN IF NOT EXISTS model text,
    ADD COLUMN IF NOT EXISTS "organizationId" text,
    ADD COLUMN IF NOT EXISTS status "ImageJobStatus" NOT NULL DEFAULT 'PENDING',
    ADD COLUMN IF NOT EXISTS progress integer NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS "createdAt" timestamp(3) NOT NULL DEFAULT (CURRENT_TIMESTAMP AT TIME ZONE 'UTC'),
    ADD COLUMN IF NOT EXISTS "completedAt" timestamp(3);

ALTER TABLE video_files
    ADD COLUMN IF NOT EXISTS filename text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS "s3Key" text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS "fileUrl" text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS "fileSize" integer,
    ADD COLUMN IF NOT EXISTS format text,
    ADD COLUMN IF NOT EXISTS width integer,
    ADD COLUMN IF NOT EXISTS height integer,
    ADD COLUMN IF NOT EXISTS "aspectRatio" text,
    ADD COLUMN IF NOT EXISTS "durationSeconds" double precision,
    ADD COLUMN IF NOT EXISTS fps integer,
    ADD COLUMN IF NOT EXISTS "thumbnailUrl" text,
    ADD COLUMN IF NOT EXISTS metadata jsonb,
    ADD COLUMN IF NOT EXISTS "createdAt" timestamp(3) NOT NULL DEFAULT (CURRENT_TIMESTAMP AT TIME ZONE 'UTC');

ALTER TABLE notifications
    ADD COLUMN IF NOT EXISTS type text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS title text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS message text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS metadata jsonb,
    ADD COLUMN IF NOT EXISTS "createdAt" timestamp(3) NOT NULL DEFAULT (CURRENT_TIMESTAMP AT TIME ZONE 'UTC');
