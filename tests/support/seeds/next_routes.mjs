// The seeds' Next.js routes, step by step as their documents have them, on a real Prisma client:
// `src/app/api/{images,videos}/generate/route.ts` and `src/app/api/webhooks/{image,video}-completion/route.ts`.
// `authenticated` stands for Clerk's `auth()`: it says who sends a request. Writes its port when it listens.
//
//   node next_routes.mjs <folder of packages> <folder of the client>
import { createServer } from "node:http";
import { createRequire } from "node:module";

const [, , packages, client] = process.argv;
const { BACKEND, DATABASE_URL, SERVICE_KEY, WINDOW_SECONDS } = process.env;
const { PrismaPg } = createRequire(`${packages}/`)("@prisma/adapter-pg");
const { PrismaClient } = createRequire(`${client}/`)(client);
const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: DATABASE_URL }) });

const KINDS = {
  image: { name: "image(s) créée(s).", title: "🎨 Images générées avec succès", type: "IMAGE_COMPLETED" },
  video: { name: "vidéo(s) créée(s).", title: "🎬 Vidéos générées avec succès", type: "VIDEO_COMPLETED" },
};

async function generate(kind, request, data) {
  const clerkId = request.headers.authenticated;
  if (!clerkId) return [401, { error: "Non authentifié" }];
  const user = await prisma.user.findUnique({
    where: { clerkId },
    include: { organizationMemberships: { take: 1 } },
  });
  const generation = await prisma[`${kind}Generation`].create({
    data: {
      prompt: data.prompt,
      model: data.model,
      authorId: user.id,
      organizationId: user.organizationMemberships[0]?.organizationId ?? null,
      ...(kind === "image" && {
        inputImageUrl: data.input_image_url,
        numImages: data.num_images ?? 1,
        size: data.size ?? "1024x1024",
        format: data.format ?? "PNG",
        style: data.style,
        quality: data.quality ?? "standard",
      }),
    },
  });
  const answer = await fetch(`${BACKEND}/api/${kind}s/generate`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${SERVICE_KEY}` },
    body: JSON.stringify({ ...data, job_id: generation.id, user_id: clerkId }),
  });
  if (!answer.ok) return [500, { error: await answer.json() }];
  return [200, { job_id: generation.id, status: "PENDING" }];
}

async function completion(kind, _request, payload) {
  const generations = prisma[`${kind}Generation`];
  const generation = await generations.findUnique({ where: { id: payload.job_id } });
  if (!generation) return [404, { error: "Generation non trouvée" }];
  const recently = Date.now() - Number(WINDOW_SECONDS) * 1000;
  if (generation.completedAt && generation.completedAt.getTime() > recently)
    return [200, { success: true, message: "Déjà traité" }];
  const change = (data) => generations.update({ where: { id: generation.id }, data });
  if (payload.status === "failed") await change({ status: "FAILED" });
  else if (payload.status !== "completed") await change({ status: "GENERATING", progress: payload.progress });
  else await prisma.$transaction([
    change({ status: "COMPLETED", progress: 100, completedAt: new Date() }),
    ...filesOf(kind, generation, payload),
    notice(kind, generation, payload),
  ]);
  return [200, { success: true }];
}

const filesOf = (kind, generation, payload) =>
  payload.data[`${kind}s`].map((file) => {
    const [width, height] = (file.dimensions ?? "").split("x").map(Number);
    return prisma[`${kind}File`].create({
      data: {
        generationId: generation.id,
        filename: file.file_path.split("/").pop(),
        s3Key: file.file_path,
        fileUrl: file.url,
        fileSize: file.size_bytes,
        ...(kind === "image" && { format: file.format.toUpperCase(), width, height, aspectRatio: file.dimensions }),
      },
    });
  });

const notice = (kind, generation, payload) =>
  prisma.notification.create({
    data: {
      userId: generation.authorId,
      type: KINDS[kind].type,
      title: KINDS[kind].title,
      message: `${payload.data[`${kind}s`].length} ${KINDS[kind].name}`,
      metadata: { generationId: generation.id },
    },
  });

const routes = Object.fromEntries(
  Object.keys(KINDS).flatMap((kind) => [
    [`/api/${kind}s/generate`, (request, body) => generate(kind, request, body)],
    [`/api/webhooks/${kind}-completion`, (request, body) => completion(kind, request, body)],
  ]),
);

const server = createServer(async (request, response) => {
  let status, said;
  try {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    [status, said] = await routes[request.url](request, JSON.parse(Buffer.concat(chunks).toString("utf8")));
  } catch (error) {
    [status, said] = [500, { error: error.message, code: error.code }];
  }
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(said));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
