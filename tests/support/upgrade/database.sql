BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE captions (
	id INTEGER NOT NULL, 
	public_id VARCHAR(22) NOT NULL, 
	photo_id INTEGER NOT NULL, 
	person_id INTEGER NOT NULL, 
	front_end VARCHAR(20) NOT NULL, 
	source VARCHAR(200), 
	chat VARCHAR(200), 
	album VARCHAR(200), 
	position INTEGER NOT NULL, 
	reply_to JSON NOT NULL, 
	options JSON NOT NULL, 
	parent_id INTEGER, 
	rank INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	queued_at DATETIME NOT NULL, 
	attempts INTEGER NOT NULL, 
	worker VARCHAR(200), 
	lease_until DATETIME, 
	started_at DATETIME, 
	finished_at DATETIME, 
	error VARCHAR, 
	text VARCHAR, 
	confidence DOUBLE, 
	hedged BOOLEAN NOT NULL, 
	is_photo BOOLEAN NOT NULL, 
	words JSON, 
	remembered_from INTEGER, 
	alternatives JSON, 
	attention JSON, 
	model_version VARCHAR(100), 
	milliseconds DOUBLE, 
	encode_milliseconds DOUBLE, 
	batch_size INTEGER, 
	delivery_lease_until DATETIME, 
	delivery_attempts INTEGER NOT NULL, 
	deliver_after DATETIME, 
	delivered_at DATETIME, 
	closed VARCHAR, 
	message VARCHAR(200), 
	CONSTRAINT pk_captions PRIMARY KEY (id), 
	CONSTRAINT fk_captions_parent_id_captions FOREIGN KEY(parent_id) REFERENCES captions (id) ON DELETE SET NULL, 
	CONSTRAINT fk_captions_person_id_people FOREIGN KEY(person_id) REFERENCES people (id) ON DELETE CASCADE, 
	CONSTRAINT fk_captions_photo_id_photos FOREIGN KEY(photo_id) REFERENCES photos (id) ON DELETE CASCADE, 
	CONSTRAINT uq_captions_public_id UNIQUE (public_id), 
	CONSTRAINT uq_captions_source UNIQUE (source)
);
INSERT INTO "captions" VALUES(1,'PQxcFt-rgSk4kngcEiv-_Q',1,1,'telegram','telegram:1002/1',NULL,NULL,1,'{"chat": 1002, "message": 1, "thread": null, "language": "en", "kind": "photo", "file": "32d4d1872e260ef8", "source": "telegram:1002/1", "album": null}','{"beams": 3, "length": "normal"}',NULL,0,'2026-11-28 21:02:14.842859','done','2026-11-28 21:02:14.842871',0,'hand',NULL,'2026-11-28 21:02:14.855327','2026-11-28 21:02:14.865788',NULL,'Sentence 1.',0.8,0,1,'["sentence", "1"]',NULL,'[]',NULL,'by-hand',1.0,NULL,1,NULL,1,NULL,'2026-11-28 21:02:14.973716',NULL,'telegram:1002/2');
INSERT INTO "captions" VALUES(2,'wx1H7EJOO39YVpM1iXxiNQ',2,1,'telegram','telegram:-1000000001004/3','telegram:-1000000001004',NULL,3,'{"chat": -1000000001004, "message": 3, "thread": null, "language": "en", "kind": "photo", "file": "f32a7a0a31d12e85", "source": "telegram:-1000000001004/3", "album": null}','{"beams": 3, "length": "normal"}',NULL,0,'2026-11-28 21:02:15.036797','done','2026-11-28 21:02:15.036803',0,'hand',NULL,'2026-11-28 21:02:15.038988','2026-11-28 21:02:15.042305',NULL,'Sentence 2.',0.8,0,1,'["sentence", "2"]',NULL,'[]',NULL,'by-hand',1.0,NULL,1,NULL,1,NULL,'2026-11-28 21:02:15.074528',NULL,'telegram:-1000000001004/4');
INSERT INTO "captions" VALUES(3,'tQquAeHR0kiKVmDr8dU5Mw',3,1,'telegram','telegram:1002/5',NULL,NULL,5,'{"chat": 1002, "message": 5, "thread": null, "language": "en", "kind": "photo", "file": "51eba19f7a986be7", "source": "telegram:1002/5", "album": null}','{"beams": 3, "length": "normal"}',NULL,0,'2026-11-28 21:02:15.399136','queued','2026-11-28 21:02:15.399142',0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO "captions" VALUES(4,'c5QkbBMICgpoSJA-lSGcoQ',4,1,'telegram','telegram:1002/6',NULL,NULL,6,'{"chat": 1002, "message": 6, "thread": null, "language": "en", "kind": "photo", "file": "c78e3f4ce71ec78a", "source": "telegram:1002/6", "album": null}','{"beams": 3, "length": "normal"}',NULL,0,'2026-11-28 21:02:15.436666','running','2026-11-28 21:02:15.436673',0,'a worker that is gone','2026-11-28 20:02:15.484030','2026-11-28 21:02:15.484034',NULL,NULL,NULL,NULL,0,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO "captions" VALUES(5,'aPxmh3ANc3CeRBWGp39Dzw',5,1,'telegram','telegram:1002/7',NULL,NULL,7,'{"chat": 1002, "message": 7, "thread": null, "language": "en", "kind": "photo", "file": "9d0b9a5d656fcbf8", "source": "telegram:1002/7", "album": null}','{"beams": 3, "length": "normal"}',NULL,0,'2026-11-28 21:02:15.460289','done','2026-11-28 21:02:15.460293',0,'hand',NULL,'2026-11-28 21:02:15.500959','2026-11-28 21:02:15.508120',NULL,'a dog runs',0.7,0,1,'["a", "dog", "runs"]',NULL,'["a brown dog"]',NULL,'bundled',12.5,NULL,4,NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO "captions" VALUES(6,'sxMUlbB6Ll9jETFeNlUsaw',6,3,'discord','discord:1576342485863497746/1','discord:1576342485318238210/1576342485318238208',NULL,1,'{"application": 900000000000000001, "token": "interaction-1576342485863497747", "until": 1795900620.659595, "ephemeral": false, "channel": 1576342485318238208, "user": 1576342485318238211, "language": "en", "source": "discord:1576342485863497746", "number": 0}','{"beams": 3, "length": "normal"}',NULL,0,'2026-11-28 21:02:15.736752','done','2026-11-28 21:02:15.736760',0,'hand',NULL,'2026-11-28 21:02:15.740266','2026-11-28 21:02:15.775216',NULL,'Sentence 1.',0.8,0,1,'["sentence", "1"]',NULL,'[]',NULL,'by-hand',1.0,NULL,1,NULL,1,NULL,'2026-11-28 21:02:15.857539',NULL,'discord:1576342485318238208/1576342485871886356');
INSERT INTO "captions" VALUES(7,'AUG_IblgWTIU6LgIXNx0SQ',7,3,'discord','discord:1576342487151149081/1','discord:1576342485318238210/1576342485318238208',NULL,1,'{"channel": 1576342485318238208, "message": 1576342487151149081, "user": 1576342485318238211, "language": "en", "source": "discord:1576342487151149081", "number": 0}','{"beams": 3, "length": "normal"}',NULL,0,'2026-11-28 21:02:16.049561','queued','2026-11-28 21:02:16.049570',0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO "captions" VALUES(8,'ZFN-5LHbkNwNDjr7ibEFfQ',8,3,'discord','discord:1576342487193092124/1','discord:1576342485318238210/1576342485318238208',NULL,1,'{"channel": 1576342485318238208, "message": 1576342487193092124, "user": 1576342485318238211, "language": "en", "source": "discord:1576342487193092124", "number": 0}','{"beams": 3, "length": "normal"}',NULL,0,'2026-11-28 21:02:16.066319','running','2026-11-28 21:02:16.066326',0,'a worker that is gone','2026-11-28 20:02:16.096107','2026-11-28 21:02:16.096111',NULL,NULL,NULL,NULL,0,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO "captions" VALUES(9,'_XQscavXwZYb0g8801o-bA',9,3,'discord','discord:1576342487197286431/1','discord:1576342485318238210/1576342485318238208',NULL,1,'{"channel": 1576342485318238208, "message": 1576342487197286431, "user": 1576342485318238211, "language": "en", "source": "discord:1576342487197286431", "number": 0}','{"beams": 3, "length": "normal"}',NULL,0,'2026-11-28 21:02:16.079763','done','2026-11-28 21:02:16.079774',0,'hand',NULL,'2026-11-28 21:02:16.108998','2026-11-28 21:02:16.116421',NULL,'a dog runs',0.7,0,1,'["a", "dog", "runs"]',NULL,'["a brown dog"]',NULL,'bundled',12.5,NULL,4,NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO "captions" VALUES(10,'7MMpohpyqj94B4UWlfTbYA',10,5,'web',NULL,NULL,NULL,0,'{}','{"beams": 3, "length": "normal"}',NULL,0,'2026-11-28 21:02:17.292047','done','2026-11-28 21:02:17.292055',0,'hand',NULL,'2026-11-28 21:02:17.498945','2026-11-28 21:02:17.502490',NULL,'a dog runs',0.7,0,1,'["a", "dog", "runs"]',NULL,'["a brown dog"]',NULL,'bundled',12.5,NULL,4,NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO "captions" VALUES(11,'Bo_Se6rmXoxPWrhfCtqFDg',11,5,'web',NULL,NULL,NULL,0,'{}','{"beams": 3, "length": "normal"}',NULL,0,'2026-11-28 21:02:17.370441','queued','2026-11-28 21:02:17.370447',0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL);
INSERT INTO "captions" VALUES(12,'vRPpudBDaX71lbV_qE8QeA',12,5,'web',NULL,NULL,NULL,0,'{}','{"beams": 3, "length": "normal"}',NULL,0,'2026-11-28 21:02:17.450852','running','2026-11-28 21:02:17.450859',0,'a worker that is gone','2026-11-28 20:02:17.558803','2026-11-28 21:02:17.558808',NULL,NULL,NULL,NULL,0,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL);
CREATE TABLE chats (
	id INTEGER NOT NULL, 
	"key" VARCHAR(200) NOT NULL, 
	created_at DATETIME NOT NULL, 
	auto BOOLEAN NOT NULL, 
	remind_alt_text BOOLEAN NOT NULL, 
	left_at DATETIME, 
	CONSTRAINT pk_chats PRIMARY KEY (id), 
	CONSTRAINT uq_chats_key UNIQUE ("key")
);
INSERT INTO "chats" VALUES(1,'telegram:-1000000001004','2026-11-28 21:02:15.123606',1,0,NULL);
CREATE TABLE corrections (
	id INTEGER NOT NULL, 
	caption_id INTEGER NOT NULL, 
	person_id INTEGER NOT NULL, 
	text VARCHAR NOT NULL, 
	review VARCHAR(20) NOT NULL, 
	reason VARCHAR, 
	reviewed_by VARCHAR(200), 
	written_at DATETIME NOT NULL, 
	CONSTRAINT pk_corrections PRIMARY KEY (id), 
	CONSTRAINT fk_corrections_caption_id_captions FOREIGN KEY(caption_id) REFERENCES captions (id) ON DELETE CASCADE, 
	CONSTRAINT fk_corrections_person_id_people FOREIGN KEY(person_id) REFERENCES people (id) ON DELETE CASCADE, 
	CONSTRAINT uq_corrections_caption_id UNIQUE (caption_id, person_id)
);
INSERT INTO "corrections" VALUES(1,1,1,'two red spots on a green meadow','accepted',NULL,NULL,'2026-11-28 21:02:15.147820');
CREATE TABLE leases (
	name VARCHAR(50) NOT NULL, 
	holder VARCHAR(200) NOT NULL, 
	until DATETIME NOT NULL, 
	CONSTRAINT pk_leases PRIMARY KEY (name)
);
CREATE TABLE models (
	version VARCHAR(100) NOT NULL, 
	folder VARCHAR NOT NULL, 
	passed BOOLEAN NOT NULL, 
	metrics JSON NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_models PRIMARY KEY (version)
);
INSERT INTO "models" VALUES('v1','@DATA@/models/v1',1,'{"cider": 0.5}','2026-11-28 21:02:17.738132');
CREATE TABLE people (
	id INTEGER NOT NULL, 
	"key" VARCHAR(200) NOT NULL, 
	created_at DATETIME NOT NULL, 
	training_consent BOOLEAN, 
	consent_at DATETIME, 
	preferences JSON NOT NULL, 
	CONSTRAINT pk_people PRIMARY KEY (id), 
	CONSTRAINT uq_people_key UNIQUE ("key")
);
INSERT INTO "people" VALUES(1,'telegram:1002','2026-11-28 21:02:14.810463',1,'2026-11-28 21:02:15.111417','{"asked_for_consent": true, "language": "de", "last_export": "2026-11-28T21:02:15.166191+00:00"}');
INSERT INTO "people" VALUES(2,'telegram:1003','2026-11-28 21:02:15.085146',NULL,NULL,'{}');
INSERT INTO "people" VALUES(3,'discord:1576342485318238211','2026-11-28 21:02:15.709185',NULL,NULL,'{"asked_for_consent": true}');
INSERT INTO "people" VALUES(4,'discord:1576342485318238212','2026-11-28 21:02:15.913208',NULL,NULL,'{}');
INSERT INTO "people" VALUES(5,'web:_DDHo4voZI8XxzVdbDkQoA','2026-11-28 21:02:17.255739',NULL,NULL,'{"asked_for_consent": true}');
CREATE TABLE photos (
	id INTEGER NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	width INTEGER NOT NULL, 
	height INTEGER NOT NULL, 
	bytes INTEGER NOT NULL, 
	perceptual_hash VARCHAR(16), 
	created_at DATETIME NOT NULL, 
	last_sent_at DATETIME NOT NULL, 
	dropped_at DATETIME, 
	CONSTRAINT pk_photos PRIMARY KEY (id), 
	CONSTRAINT uq_photos_sha256 UNIQUE (sha256)
);
INSERT INTO "photos" VALUES(1,'4627cd97f97d68ae5eeaf2d006c29aa8ce14c529b00dfef0f88c3feca1607c76',40,30,1185,'c6b2707696b3698a','2026-11-28 21:02:14.814493','2026-11-28 21:02:14.814493',NULL);
INSERT INTO "photos" VALUES(2,'4ef10184bff466f319f09e3b101dbe5d614f30cf62c30702caa10c082a5dc4ff',40,30,1193,'d81a8fb6491eb64c','2026-11-28 21:02:15.019837','2026-11-28 21:02:15.019837',NULL);
INSERT INTO "photos" VALUES(3,'d2441933dd53459a05156c83265bc5d4f7daf305120a0dd83b2a6bfb037a2aa9',40,30,1210,'f2c73cabdcc52250','2026-11-28 21:02:15.380604','2026-11-28 21:02:15.380604',NULL);
INSERT INTO "photos" VALUES(4,'d731da376ad16d5bf6e609bf217c83e6bc24c46111a839929903a4b6c3b0b633',40,30,1179,'834c4c840b7ff47b','2026-11-28 21:02:15.428429','2026-11-28 21:02:15.428429',NULL);
INSERT INTO "photos" VALUES(5,'6f573bb551a13a2c4a2d4666f91f6332a42aaaaeb5930644d7a9917e1f8fa486',40,30,1188,'c4f0fca674f08b58','2026-11-28 21:02:15.458349','2026-11-28 21:02:15.458349',NULL);
INSERT INTO "photos" VALUES(6,'c20fc0fd8525c058786bca8d8244673df3d8f88163d4dd58e6ca9a4390de1a88',40,30,1196,'3e847befa1047e14','2026-11-28 21:02:15.710100','2026-11-28 21:02:15.710100',NULL);
INSERT INTO "photos" VALUES(7,'cfc909a1f7877b5f40b31c369a9ad44380f6af974b4ebac9403e0761f1dda8ca',40,30,1191,'a346b744bc4343bb','2026-11-28 21:02:16.034595','2026-11-28 21:02:16.034595',NULL);
INSERT INTO "photos" VALUES(8,'5466bdeb6fb941a8c38bc77d41bda0be77f0d61f515ef19af4c57eb9f4db2625',40,30,1172,'a72c49f6312dcf0a','2026-11-28 21:02:16.054867','2026-11-28 21:02:16.054867',NULL);
INSERT INTO "photos" VALUES(9,'6d69e8f460033d01a3d76cb9c96db587853623e45480d33fb89f13ca2556969d',40,30,1203,'e7c3408594e26b7b','2026-11-28 21:02:16.075202','2026-11-28 21:02:16.075202',NULL);
INSERT INTO "photos" VALUES(10,'4ed075e0e12146f8ae017d3e94bbd1c542411cb02d3eac92caacf321d9966eff',40,30,1180,'b04b0f83337acc7c','2026-11-28 21:02:17.256665','2026-11-28 21:02:17.256665',NULL);
INSERT INTO "photos" VALUES(11,'1eadf64ca07e5511cf61572c2c04a82f3383e6e50a0d6878664b976f513db81e',40,30,1186,'522f46561cafc7a8','2026-11-28 21:02:17.367387','2026-11-28 21:02:17.367387',NULL);
INSERT INTO "photos" VALUES(12,'57d70cc85d7e30cfbffd73d9faad52fb30589386a775c358e255e41f078f417d',40,30,1169,'bf7c643672388cc8','2026-11-28 21:02:17.442804','2026-11-28 21:02:17.442804',NULL);
CREATE TABLE registry (
	id INTEGER NOT NULL, 
	stable VARCHAR(100), 
	previous VARCHAR(100), 
	canary VARCHAR(100), 
	canary_percent INTEGER NOT NULL, 
	changed_at DATETIME NOT NULL, 
	CONSTRAINT pk_registry PRIMARY KEY (id), 
	CONSTRAINT fk_registry_canary_models FOREIGN KEY(canary) REFERENCES models (version), 
	CONSTRAINT fk_registry_previous_models FOREIGN KEY(previous) REFERENCES models (version), 
	CONSTRAINT fk_registry_stable_models FOREIGN KEY(stable) REFERENCES models (version)
);
INSERT INTO "registry" VALUES(1,'v1',NULL,NULL,0,'2026-11-28 21:02:17.775668');
CREATE TABLE registry_events (
	id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	kind VARCHAR(20) NOT NULL, 
	version VARCHAR(100), 
	"by" VARCHAR(200) NOT NULL, 
	details JSON NOT NULL, 
	CONSTRAINT pk_registry_events PRIMARY KEY (id)
);
INSERT INTO "registry_events" VALUES(1,'2026-11-28 21:02:17.739762','registered','v1','captionbot','{"passed": true}');
INSERT INTO "registry_events" VALUES(2,'2026-11-28 21:02:17.786005','promoted','v1','telegram:admin','{"previous": null}');
CREATE TABLE votes (
	id INTEGER NOT NULL, 
	caption_id INTEGER NOT NULL, 
	person_id INTEGER NOT NULL, 
	value INTEGER NOT NULL, 
	voted_at DATETIME NOT NULL, 
	CONSTRAINT pk_votes PRIMARY KEY (id), 
	CONSTRAINT fk_votes_caption_id_captions FOREIGN KEY(caption_id) REFERENCES captions (id) ON DELETE CASCADE, 
	CONSTRAINT fk_votes_person_id_people FOREIGN KEY(person_id) REFERENCES people (id) ON DELETE CASCADE, 
	CONSTRAINT uq_votes_caption_id UNIQUE (caption_id, person_id)
);
INSERT INTO "votes" VALUES(1,2,2,-1,'2026-11-28 21:02:15.085560');
INSERT INTO "votes" VALUES(2,1,1,1,'2026-11-28 21:02:15.103610');
INSERT INTO "votes" VALUES(3,6,4,1,'2026-11-28 21:02:15.913960');
INSERT INTO "votes" VALUES(4,6,3,-1,'2026-11-28 21:02:15.951823');
INSERT INTO "votes" VALUES(5,10,5,1,'2026-11-28 21:02:17.509579');
CREATE TABLE workers (
	name VARCHAR(200) NOT NULL, 
	started_at DATETIME NOT NULL, 
	seen_at DATETIME NOT NULL, 
	engine VARCHAR(50) NOT NULL, 
	versions JSON NOT NULL, 
	CONSTRAINT pk_workers PRIMARY KEY (name)
);
CREATE INDEX ix_photos_last_sent_at ON photos (last_sent_at);
CREATE INDEX ix_workers_seen_at ON workers (seen_at);
CREATE INDEX ix_captions_album ON captions (album);
CREATE INDEX ix_captions_chat ON captions (chat);
CREATE INDEX ix_captions_created_at ON captions (created_at);
CREATE INDEX ix_captions_finished_at ON captions (finished_at);
CREATE INDEX ix_captions_lease_until ON captions (lease_until);
CREATE INDEX ix_captions_message ON captions (message);
CREATE INDEX ix_captions_model_version ON captions (model_version);
CREATE INDEX ix_captions_parent_id ON captions (parent_id);
CREATE INDEX ix_captions_person_id ON captions (person_id);
CREATE INDEX ix_captions_remembered_from ON captions (remembered_from);
CREATE INDEX ix_captions_reuse ON captions (photo_id, model_version);
CREATE INDEX ix_captions_state ON captions (state, queued_at);
CREATE INDEX ix_captions_undelivered ON captions (front_end, finished_at) WHERE delivered_at IS NULL AND closed IS NULL;
CREATE INDEX ix_corrections_person_id ON corrections (person_id);
CREATE INDEX ix_votes_person_id ON votes (person_id);
COMMIT;
