PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE schema_migrations (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL
);
INSERT INTO schema_migrations VALUES(1,'m001_initial',1795165201000007);
INSERT INTO schema_migrations VALUES(2,'m002_index_later',1795165201000007);
INSERT INTO schema_migrations VALUES(3,'m003_message_parts',1795165201000007);
INSERT INTO schema_migrations VALUES(4,'m004_generation_kind',1795165201000007);
INSERT INTO schema_migrations VALUES(5,'m005_ledger',1795165201000007);
INSERT INTO schema_migrations VALUES(6,'m006_folded_search',1795165201000007);
INSERT INTO schema_migrations VALUES(7,'m007_newest_first',1795165201000007);
INSERT INTO schema_migrations VALUES(8,'m008_more_references',1795165201000007);
CREATE TABLE conversations (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL,
    title_is_manual BOOLEAN NOT NULL, pinned BOOLEAN NOT NULL, system_prompt TEXT NOT NULL,
    parameters TEXT NOT NULL, origin TEXT NOT NULL, head_id TEXT,
    created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, deleted_at BIGINT
, folded_title TEXT NOT NULL DEFAULT '');
INSERT INTO conversations VALUES('3ceaaf30814248ea91d93080f9b439fc','local','分支 branches',0,0,replace('你是诗人。\nΓράψε ποίηση.','\n',char(10)),'{"model":"deepseek-flash","thinking":false,"effort":"high","temperature":null,"top_p":null,"max_tokens":null,"stream":true,"search":false}','page','8df08078a22e418085c2c2af3977a654',1795165202000014,1795165244000308,NULL,'分支 branches');
INSERT INTO conversations VALUES('f3194a3b381e43e7952c466e473a1797','local','断线',0,0,'','{"model":"deepseek-flash","thinking":false,"effort":"high","temperature":null,"top_p":null,"max_tokens":null,"stream":true,"search":false}','page','ab57f985433243daa75a2e199b58ba8d',1795165245000315,1795165251000357,NULL,'断綫');
INSERT INTO conversations VALUES('c1b87f1a7323491b99f9cbef0f69a4d0','local','还在写',0,0,'','{"model":"deepseek-flash","thinking":false,"effort":"high","temperature":null,"top_p":null,"max_tokens":null,"stream":true,"search":false}','http','ac3e0b5bc29147098c1e26038dabf68e',1795165253000371,1795165259000413,NULL,'还在写');
INSERT INTO conversations VALUES('2f314fdb43c44bc7a4ccdcf9ea5ee53c','local','附件 attachments',0,0,'','{"model":"deepseek-flash","thinking":false,"effort":"high","temperature":null,"top_p":null,"max_tokens":null,"stream":true,"search":false}','page','6800e67e527f4da696ec4c60da8f3fe2',1795165262000434,1795165276000532,NULL,'附件 attachments');
INSERT INTO conversations VALUES('98daa4bf75594f89b3fb95ee22432045','local','置顶 ''quoted''; DROP TABLE',1,1,'','{"model":"deepseek-pro","thinking":false,"effort":"high","temperature":null,"top_p":null,"max_tokens":null,"stream":false,"search":false}','page',NULL,1795165277000539,1795165277000539,NULL,'置頂 ''quoted''; drop table');
INSERT INTO conversations VALUES('b6d9f6f45cdc48b99a6400c790010259','local','已删除',0,0,'','{"model":"deepseek-flash","thinking":false,"effort":"high","temperature":null,"top_p":null,"max_tokens":null,"stream":true,"search":false}','page','365bf63a6659455484103017ead492d2',1795165278000546,1795165285000595,1795165286000602,'已删除');
INSERT INTO conversations VALUES('23961c5229704819ae6f8f356f02bfb4','user:ада@例子.example','чужое',0,0,'','{"model":"deepseek-flash","thinking":false,"effort":"high","temperature":null,"top_p":null,"max_tokens":null,"stream":true,"search":false}','page','614d292e1f1e4bfaa3003324c470d28b',1795165287000609,1795165294000658,NULL,'чужое');
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    parent_id TEXT REFERENCES messages (id) DEFERRABLE INITIALLY DEFERRED,
    role TEXT NOT NULL, content TEXT NOT NULL, reasoning_content TEXT NOT NULL,
    status TEXT NOT NULL, finish_reason TEXT, model TEXT, parameters TEXT,
    prompt_tokens BIGINT, completion_tokens BIGINT, total_tokens BIGINT,
    cache_hit_tokens BIGINT, cache_miss_tokens BIGINT, reasoning_tokens BIGINT,
    error_text_id TEXT, error_facts TEXT, error_detail TEXT NOT NULL,
    reasoning_s DOUBLE, first_token_s DOUBLE, duration_s DOUBLE,
    practice BOOLEAN NOT NULL, created_at BIGINT NOT NULL,
    process_id TEXT, lease_until BIGINT, stop_requested_at BIGINT
, parts TEXT);
INSERT INTO messages VALUES(1,'9dfb369bab134faea27655daa05f1119','3ceaaf30814248ea91d93080f9b439fc',NULL,'user','写一首诗 🌸 — «стихи», قصيدة, कविता','','complete',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,NULL,NULL,0,1795165204000028,NULL,NULL,NULL,NULL);
INSERT INTO messages VALUES(2,'6301bbfca0c5454e8ff9bb510944fe0c','3ceaaf30814248ea91d93080f9b439fc','9dfb369bab134faea27655daa05f1119','assistant',replace('春眠不觉晓，\n处处闻啼鸟。','\n',char(10)),'想一想：五言绝句。','complete','stop','deepseek-flash-1120','{"model":"deepseek-flash","thinking":true,"effort":"max","temperature":0.5,"top_p":null,"max_tokens":4096,"stream":true,"search":false}',12,34,46,4,8,9,NULL,NULL,'',1.25,0.5,3.75,0,1795165207000049,NULL,NULL,NULL,NULL);
INSERT INTO messages VALUES(3,'6fced11d2bd841e6847a8387cdde8d51','3ceaaf30814248ea91d93080f9b439fc','9dfb369bab134faea27655daa05f1119','assistant','停在这里…','','stopped',NULL,'deepseek-flash','{"model":"deepseek-flash","thinking":true,"effort":"max","temperature":0.5,"top_p":null,"max_tokens":4096,"stream":true,"search":false}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,NULL,NULL,0,1795165212000084,NULL,NULL,NULL,NULL);
INSERT INTO messages VALUES(4,'3a124c647e024f05b7c1dce27f7695f5','3ceaaf30814248ea91d93080f9b439fc','9dfb369bab134faea27655daa05f1119','assistant','','','failed',NULL,'deepseek-flash','{"model":"deepseek-flash","thinking":true,"effort":"max","temperature":0.5,"top_p":null,"max_tokens":4096,"stream":true,"search":false}',NULL,NULL,NULL,NULL,NULL,NULL,'error.chat_busy','{"host":"\u4f8b\u5b50.example","status_code":503}','overloaded "quoted" ''and'' ; --',NULL,NULL,NULL,0,1795165217000119,NULL,NULL,NULL,NULL);
INSERT INTO messages VALUES(5,'66080f174c9648e29cbd0ba3a1a6bcde','3ceaaf30814248ea91d93080f9b439fc','6301bbfca0c5454e8ff9bb510944fe0c','user','再来一首','','complete',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,NULL,NULL,0,1795165221000147,NULL,NULL,NULL,NULL);
INSERT INTO messages VALUES(6,'b120a366f0bb49cf82f2dc05873f9bd0','3ceaaf30814248ea91d93080f9b439fc','66080f174c9648e29cbd0ba3a1a6bcde','assistant','白日依山尽，','','cut_off',NULL,'deepseek-flash','{"model":"deepseek-flash","thinking":true,"effort":"max","temperature":0.5,"top_p":null,"max_tokens":4096,"stream":true,"search":false}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,NULL,NULL,0,1795165224000168,NULL,NULL,NULL,NULL);
INSERT INTO messages VALUES(7,'78b7d0ac84774ce08e4cda11b43c589b','3ceaaf30814248ea91d93080f9b439fc','b120a366f0bb49cf82f2dc05873f9bd0','user','👩‍👩‍👧‍👦 é ﷽ ‮RTL','','complete',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,NULL,NULL,0,1795165228000196,NULL,NULL,NULL,NULL);
INSERT INTO messages VALUES(8,'2330fcf1562a44b888668d77e827062c','3ceaaf30814248ea91d93080f9b439fc','78b7d0ac84774ce08e4cda11b43c589b','assistant',replace('```py\nprint(''½'')\n```','\n',char(10)),'','complete','length','deepseek-flash','{"model":"deepseek-flash","thinking":true,"effort":"max","temperature":0.5,"top_p":null,"max_tokens":4096,"stream":true,"search":false}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,NULL,NULL,1,1795165231000217,NULL,NULL,NULL,NULL);
INSERT INTO messages VALUES(9,'c1acc9906424450aa36bf9b3ddcb369d','3ceaaf30814248ea91d93080f9b439fc',NULL,'user','改过的问题','','complete',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,NULL,NULL,0,1795165234000238,NULL,NULL,NULL,NULL);
INSERT INTO messages VALUES(10,'9ad9b9a25e78454db065a1c284cc4549','3ceaaf30814248ea91d93080f9b439fc','c1acc9906424450aa36bf9b3ddcb369d','assistant','改过的回答','','complete',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,NULL,NULL,0,1795165236000252,NULL,NULL,NULL,NULL);
INSERT INTO messages VALUES(11,'993565976fba4662b6a730b7b12e9eed','3ceaaf30814248ea91d93080f9b439fc','6301bbfca0c5454e8ff9bb510944fe0c','user','要删的','','complete',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,NULL,NULL,0,1795165239000273,NULL,NULL,NULL,NULL);
INSERT INTO messages VALUES(12,'8df08078a22e418085c2c2af3977a654','3ceaaf30814248ea91d93080f9b439fc','993565976fba4662b6a730b7b12e9eed','assistant','删掉','','complete',NULL,'deepseek-flash','{"model":"deepseek-flash","thinking":true,"effort":"max","temperature":0.5,"top_p":null,"max_tokens":4096,"stream":true,"search":false}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,NULL,NULL,0,1795165242000294,NULL,NULL,NULL,NULL);
INSERT INTO messages VALUES(13,'c498b6e73648445e9afa3a387f006745','f3194a3b381e43e7952c466e473a1797',NULL,'user','?','','complete',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,NULL,NULL,0,1795165247000329,NULL,NULL,NULL,NULL);
INSERT INTO messages VALUES(14,'ab57f985433243daa75a2e199b58ba8d','f3194a3b381e43e7952c466e473a1797','c498b6e73648445e9afa3a387f006745','assistant','','','interrupted',NULL,'deepseek-flash','{"model":"deepseek-flash","thinking":true,"effort":"max","temperature":0.5,"top_p":null,"max_tokens":4096,"stream":true,"search":false}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,NULL,NULL,0,1795165250000350,NULL,NULL,NULL,NULL);
INSERT INTO messages VALUES(15,'2eb737282fea475eb5365e1458294a90','c1b87f1a7323491b99f9cbef0f69a4d0',NULL,'user','写到哪里了？','','complete',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,NULL,NULL,0,1795165255000385,NULL,NULL,NULL,NULL);
INSERT INTO messages VALUES(16,'ac3e0b5bc29147098c1e26038dabf68e','c1b87f1a7323491b99f9cbef0f69a4d0','2eb737282fea475eb5365e1458294a90','assistant','写到一半','','running',NULL,'deepseek-flash','{"model":"deepseek-flash","thinking":true,"effort":"max","temperature":0.5,"top_p":null,"max_tokens":4096,"stream":true,"search":false}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,NULL,NULL,0,1795165258000406,'process-1',1795165320000420,1795165261000427,NULL);
INSERT INTO messages VALUES(17,'bafe9bd120c541529127c47089bf36a2','2f314fdb43c44bc7a4ccdcf9ea5ee53c',NULL,'user',replace('这些是什么？\nТы знаешь?','\n',char(10)),'','complete',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,NULL,NULL,0,1795165264000448,NULL,NULL,NULL,'[{"type":"text","text":"\u8fd9\u4e9b\u662f\u4ec0\u4e48\uff1f"},{"type":"picture","url":"","sha256":"e0ffccf95b9a5d1cb5ef331123fca3e99a6131403ddb82b60d22e840a1f07281","media_type":"image/png","name":"\u732b \u0642\u0637\u0629.png","detail":"low","left_out":""},{"type":"picture","url":"https://e.example/\u732b.png?a=1&b=2","sha256":"","media_type":"","name":"","detail":"","left_out":""},{"type":"file","name":"\u8bf4\u660e.md","text":"```py\nprint(''\u00bd'')\n```","media_type":"text/markdown","sha256":"","left_out":""},{"type":"text","text":"\u0422\u044b \u0437\u043d\u0430\u0435\u0448\u044c?"}]');
INSERT INTO messages VALUES(18,'fe01437293134adfbba3fec76ca387b5','2f314fdb43c44bc7a4ccdcf9ea5ee53c','bafe9bd120c541529127c47089bf36a2','assistant','我查查。','查','complete','tool_calls','deepseek-flash','{"model":"deepseek-flash","thinking":true,"effort":"max","temperature":0.5,"top_p":null,"max_tokens":4096,"stream":true,"search":false}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,NULL,NULL,0,1795165267000469,NULL,NULL,NULL,'[{"type":"text"},{"type":"tool_call","id":"call_0_\u732b","name":"find","arguments":"{\"q\": \"\u732b\\n\""}]');
INSERT INTO messages VALUES(19,'9280ba2e153443fdb35771b237d047c9','2f314fdb43c44bc7a4ccdcf9ea5ee53c','fe01437293134adfbba3fec76ca387b5','tool','','','complete',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,NULL,NULL,0,1795165271000497,NULL,NULL,NULL,'[{"type":"tool_result","call_id":"call_0_\u732b","content":"\u4e09\u6761 \ud83d\udc31","name":"find"},{"type":"tool_result","call_id":"call_1","content":"","name":""}]');
INSERT INTO messages VALUES(20,'6800e67e527f4da696ec4c60da8f3fe2','2f314fdb43c44bc7a4ccdcf9ea5ee53c','9280ba2e153443fdb35771b237d047c9','assistant','一只猫。','','complete',NULL,'deepseek-flash','{"model":"deepseek-flash","thinking":true,"effort":"max","temperature":0.5,"top_p":null,"max_tokens":4096,"stream":true,"search":false}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,NULL,NULL,0,1795165274000518,NULL,NULL,NULL,NULL);
INSERT INTO messages VALUES(21,'6a015b665e4a429c9be7df00cba497dd','b6d9f6f45cdc48b99a6400c790010259',NULL,'user','还能恢复吗','','complete',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,NULL,NULL,0,1795165280000560,NULL,NULL,NULL,NULL);
INSERT INTO messages VALUES(22,'365bf63a6659455484103017ead492d2','b6d9f6f45cdc48b99a6400c790010259','6a015b665e4a429c9be7df00cba497dd','assistant','能','','complete',NULL,'deepseek-flash','{"model":"deepseek-flash","thinking":true,"effort":"max","temperature":0.5,"top_p":null,"max_tokens":4096,"stream":true,"search":false}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,NULL,NULL,0,1795165283000581,NULL,NULL,NULL,NULL);
INSERT INTO messages VALUES(23,'48018f5e186341daabca5daa475d779c','23961c5229704819ae6f8f356f02bfb4',NULL,'user','секрет 秘密','','complete',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,NULL,NULL,0,1795165289000623,NULL,NULL,NULL,NULL);
INSERT INTO messages VALUES(24,'614d292e1f1e4bfaa3003324c470d28b','23961c5229704819ae6f8f356f02bfb4','48018f5e186341daabca5daa475d779c','assistant','не для всех','','complete',NULL,'deepseek-flash','{"model":"deepseek-flash","thinking":true,"effort":"max","temperature":0.5,"top_p":null,"max_tokens":4096,"stream":true,"search":false}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,NULL,NULL,0,1795165292000644,NULL,NULL,NULL,NULL);
CREATE TABLE blobs (
    sha256 TEXT PRIMARY KEY, media_type TEXT NOT NULL, content BLOB NOT NULL,
    created_at BIGINT NOT NULL
);
INSERT INTO blobs VALUES('e0ffccf95b9a5d1cb5ef331123fca3e99a6131403ddb82b60d22e840a1f07281','image/png',X'89504e470d0a1a0a00ffe99984e4bbb6',1795165265000455);
INSERT INTO blobs VALUES('c5a31268f675b26d5db961b52b044e57621ffe4e6128b8337a3d1f8e6e5dcd83','image/png',X'89504e470d0a1a0a00ffe58f82e88083',1795165326000882);
INSERT INTO blobs VALUES('db50a824abfdd116bd798e774ef13b788aaa02bcee4170ed45f827e1801d031e','image/jpeg',X'ffd8ffe58fa6e4b880e5bca0',1795165327000889);
CREATE TABLE generations (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, provider TEXT NOT NULL, origin TEXT NOT NULL,
    external_task_id TEXT, idempotency_key TEXT, task_id TEXT, status TEXT NOT NULL,
    request TEXT NOT NULL, prompt TEXT NOT NULL, model_name TEXT NOT NULL,
    aspect_ratio TEXT NOT NULL, resolution TEXT NOT NULL, n INTEGER NOT NULL,
    reference_sha256 TEXT REFERENCES blobs (sha256),
    created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, sending_at BIGINT,
    submitted_at BIGINT, finished_at BIGINT, deleted_at BIGINT,
    error_text_id TEXT, error_facts TEXT, error_detail TEXT NOT NULL, unit_deduction TEXT,
    attempts INTEGER NOT NULL, poll_count INTEGER NOT NULL, next_check_at BIGINT NOT NULL,
    lease_owner TEXT, lease_until BIGINT
, kind TEXT NOT NULL DEFAULT 'image', slots INTEGER NOT NULL DEFAULT 1);
INSERT INTO generations VALUES('e9a5642c7d0743e5b6e5c77a2ee05f69','local','kling','http','inkling-e9a5642c7d0743e5b6e5c77a2ee05f69','ключ-1',NULL,'intended','{"prompt":"\u53ea\u5199\u4e0b\u6765","model_name":"kling-v3","aspect_ratio":"1:1","resolution":"1k","n":1,"has_image":false,"negative_prompt":"","image_reference":null,"image_fidelity":null,"human_fidelity":null,"element_ids":[],"watermark":false,"callback_url":null,"is_typed":false}','只写下来','kling-v3','1:1','1k',1,NULL,1795165295000665,1795165295000665,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,0,0,1795165295000665,'process-1',1795165897000679,'image',1);
INSERT INTO generations VALUES('df219833d97b401bb581437a489229e0','local','kling','page','inkling-df219833d97b401bb581437a489229e0',NULL,NULL,'intended','{"prompt":"\u53d1\u9001\u4e2d","model_name":"kling-v3","aspect_ratio":"1:1","resolution":"1k","n":1,"has_image":false,"negative_prompt":"","image_reference":null,"image_fidelity":null,"human_fidelity":null,"element_ids":[],"watermark":false,"callback_url":null,"is_typed":false}','发送中','kling-v3','1:1','1k',1,NULL,1795165296000672,1795165298000686,1795165298000686,NULL,NULL,NULL,NULL,NULL,'',NULL,1,0,1795165296000672,'process-1',1795165897000679,'image',1);
INSERT INTO generations VALUES('f054e0b83ce3494db3947d9c777a5bbb','local','kling','page','inkling-f054e0b83ce3494db3947d9c777a5bbb',NULL,NULL,'uncertain','{"prompt":"\u4e0d\u6e05\u695a","model_name":"kling-v3","aspect_ratio":"1:1","resolution":"1k","n":1,"has_image":false,"negative_prompt":"","image_reference":null,"image_fidelity":null,"human_fidelity":null,"element_ids":[],"watermark":false,"callback_url":null,"is_typed":false}','不清楚','kling-v3','1:1','1k',1,NULL,1795165300000700,1795165304000728,1795165302000714,NULL,NULL,NULL,'error.kling_timeout',NULL,'',NULL,1,0,1795165300000700,'process-1',1795165901000707,'image',1);
INSERT INTO generations VALUES('27f82f9467094347bf0283a32bc318aa','local','kling','page','inkling-27f82f9467094347bf0283a32bc318aa',NULL,'task-1','submitted','{"prompt":"\u5df2\u63d0\u4ea4","model_name":"kling-v3","aspect_ratio":"1:1","resolution":"1k","n":1,"has_image":false,"negative_prompt":"","image_reference":null,"image_fidelity":null,"human_fidelity":null,"element_ids":[],"watermark":false,"callback_url":null,"is_typed":false}','已提交','kling-v3','1:1','1k',1,NULL,1795165306000742,1795165308000756,NULL,1795165307000749,NULL,NULL,NULL,NULL,'',NULL,0,0,1795165306000742,NULL,NULL,'image',1);
INSERT INTO generations VALUES('90237de7232a49debed432292ed99a49','local','kling','page','inkling-90237de7232a49debed432292ed99a49',NULL,'task-2','processing','{"prompt":"\u753b\u7740","model_name":"kling-v3","aspect_ratio":"1:1","resolution":"1k","n":1,"has_image":false,"negative_prompt":"","image_reference":null,"image_fidelity":null,"human_fidelity":null,"element_ids":[],"watermark":false,"callback_url":null,"is_typed":false}','画着','kling-v3','1:1','1k',1,NULL,1795165310000770,1795165313000791,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,0,0,1795165310000770,NULL,NULL,'image',1);
INSERT INTO generations VALUES('521b55ada98948e59645f8997a98714f','local','kling','page','inkling-521b55ada98948e59645f8997a98714f',NULL,'task-3','succeeded','{"prompt":"\u53d6\u5230\u4e00\u534a","model_name":"kling-v3","aspect_ratio":"1:1","resolution":"1k","n":2,"has_image":false,"negative_prompt":"","image_reference":null,"image_fidelity":null,"human_fidelity":null,"element_ids":[],"watermark":false,"callback_url":null,"is_typed":false}','取到一半','kling-v3','1:1','1k',2,NULL,1795165315000805,1795165320000840,NULL,NULL,NULL,NULL,NULL,NULL,'','2.5',0,0,1795165315000805,NULL,NULL,'image',2);
INSERT INTO generations VALUES('13d38b6347e34c09b70c349f6dcb6633','local','kling','page','inkling-13d38b6347e34c09b70c349f6dcb6633',NULL,'task-4','archived','{"prompt":"\u4e00\u53ea\u732b \u0642\u0637\u0629","model_name":"kling-v3","aspect_ratio":"1:1","resolution":"1k","n":3,"has_image":true,"negative_prompt":"\u6a21\u7cca","image_reference":null,"image_fidelity":null,"human_fidelity":null,"element_ids":[],"watermark":false,"callback_url":null,"is_typed":false}','一只猫 قطة','kling-v3','1:1','1k',3,'c5a31268f675b26d5db961b52b044e57621ffe4e6128b8337a3d1f8e6e5dcd83',1795165328000896,1795165345001015,NULL,NULL,1795165344001008,NULL,NULL,NULL,'',NULL,1,0,1795165328000896,NULL,NULL,'image',3);
INSERT INTO generations VALUES('a71cb47059204c65b7ef2db5b2ecaa17','local','kling','page','inkling-a71cb47059204c65b7ef2db5b2ecaa17',NULL,'task-5','failed','{"prompt":"\u5931\u8d25","model_name":"kling-v3","aspect_ratio":"1:1","resolution":"1k","n":1,"has_image":false,"negative_prompt":"","image_reference":null,"image_fidelity":null,"human_fidelity":null,"element_ids":[],"watermark":false,"callback_url":null,"is_typed":false}','失败','kling-v3','1:1','1k',1,NULL,1795165349001043,1795165353001071,NULL,NULL,1795165350001050,NULL,'error.kling_content','{"code":1301}','内容审核',NULL,0,0,1795165349001043,NULL,NULL,'image',1);
INSERT INTO generations VALUES('2a4abf0bc32d41c6b8fc1b9f9c323459','local','kling','page','inkling-2a4abf0bc32d41c6b8fc1b9f9c323459',NULL,NULL,'refused','{"prompt":"\u62d2\u7edd","model_name":"kling-v3","aspect_ratio":"1:1","resolution":"1k","n":1,"has_image":false,"negative_prompt":"","image_reference":null,"image_fidelity":null,"human_fidelity":null,"element_ids":[],"watermark":false,"callback_url":null,"is_typed":false}','拒绝','kling-v3','1:1','1k',1,NULL,1795165355001085,1795165359001113,NULL,NULL,NULL,NULL,'error.kling_arguments',NULL,'',NULL,1,0,1795165355001085,NULL,NULL,'image',1);
INSERT INTO generations VALUES('dc19c734aede4aaa96aa305ba40f8266','local','kling','page','inkling-dc19c734aede4aaa96aa305ba40f8266',NULL,NULL,'cancelled','{"prompt":"\u53d6\u6d88","model_name":"kling-v3","aspect_ratio":"1:1","resolution":"1k","n":1,"has_image":false,"negative_prompt":"","image_reference":null,"image_fidelity":null,"human_fidelity":null,"element_ids":[],"watermark":false,"callback_url":null,"is_typed":false}','取消','kling-v3','1:1','1k',1,NULL,1795165361001127,1795165362001134,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,0,0,1795165361001127,NULL,NULL,'image',1);
INSERT INTO generations VALUES('edc282116850460bad84f22be1b2a2ac','local','kling','page','inkling-edc282116850460bad84f22be1b2a2ac',NULL,NULL,'cancelled','{"prompt":"\u5220\u9664\u7684\u56fe\u7247\u4efb\u52a1","model_name":"kling-v3","aspect_ratio":"1:1","resolution":"1k","n":1,"has_image":false,"negative_prompt":"","image_reference":null,"image_fidelity":null,"human_fidelity":null,"element_ids":[],"watermark":false,"callback_url":null,"is_typed":false}','删除的图片任务','kling-v3','1:1','1k',1,NULL,1795165365001155,1795165366001162,NULL,NULL,NULL,1795165369001183,NULL,NULL,'',NULL,0,0,1795165365001155,NULL,NULL,'image',1);
INSERT INTO generations VALUES('3ad8132f0e2347c3a5464623b5847c5c','local','kling','recovered','x-9',NULL,'task-9','succeeded','{"prompt":"","model_name":"","aspect_ratio":"1:1","resolution":"1k","n":1,"has_image":false,"negative_prompt":"","image_reference":null,"image_fidelity":null,"human_fidelity":null,"element_ids":[],"watermark":false,"callback_url":null,"is_typed":false}','','','1:1','1k',1,NULL,1795165370001190,1795165373001211,NULL,1795165370001190,1795165371001197,NULL,NULL,NULL,'',NULL,0,0,1795165373001211,NULL,NULL,'image',1);
INSERT INTO generations VALUES('e88edd5050424947984dbd487b982ff1','user:ада@例子.example','kling','page','inkling-e88edd5050424947984dbd487b982ff1',NULL,NULL,'intended','{"prompt":"\u0447\u0443\u0436\u0430\u044f \u043a\u0430\u0440\u0442\u0438\u043d\u043a\u0430","model_name":"kling-v3","aspect_ratio":"1:1","resolution":"1k","n":1,"has_image":false,"negative_prompt":"","image_reference":null,"image_fidelity":null,"human_fidelity":null,"element_ids":[],"watermark":false,"callback_url":null,"is_typed":false}','чужая картинка','kling-v3','1:1','1k',1,NULL,1795165374001218,1795165374001218,NULL,NULL,NULL,NULL,NULL,NULL,'',NULL,0,0,1795165374001218,NULL,NULL,'image',1);
CREATE TABLE generation_events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, generation_id TEXT NOT NULL REFERENCES generations (id) ON DELETE CASCADE,
    at BIGINT NOT NULL, status TEXT NOT NULL, note TEXT NOT NULL
);
INSERT INTO generation_events VALUES(1,'e9a5642c7d0743e5b6e5c77a2ee05f69',1795165295000665,'intended','');
INSERT INTO generation_events VALUES(2,'df219833d97b401bb581437a489229e0',1795165296000672,'intended','');
INSERT INTO generation_events VALUES(3,'df219833d97b401bb581437a489229e0',1795165299000693,'intended','{"text_id":"note.sending","facts":{}}');
INSERT INTO generation_events VALUES(4,'f054e0b83ce3494db3947d9c777a5bbb',1795165300000700,'intended','');
INSERT INTO generation_events VALUES(5,'f054e0b83ce3494db3947d9c777a5bbb',1795165303000721,'intended','{"text_id":"note.sending","facts":{}}');
INSERT INTO generation_events VALUES(6,'f054e0b83ce3494db3947d9c777a5bbb',1795165305000735,'uncertain','{"text_id":"note.app_ended","facts":{}}');
INSERT INTO generation_events VALUES(7,'27f82f9467094347bf0283a32bc318aa',1795165306000742,'intended','');
INSERT INTO generation_events VALUES(8,'27f82f9467094347bf0283a32bc318aa',1795165309000763,'submitted','');
INSERT INTO generation_events VALUES(9,'90237de7232a49debed432292ed99a49',1795165310000770,'intended','');
INSERT INTO generation_events VALUES(10,'90237de7232a49debed432292ed99a49',1795165312000784,'submitted','');
INSERT INTO generation_events VALUES(11,'90237de7232a49debed432292ed99a49',1795165314000798,'processing','');
INSERT INTO generation_events VALUES(12,'521b55ada98948e59645f8997a98714f',1795165315000805,'intended','');
INSERT INTO generation_events VALUES(13,'521b55ada98948e59645f8997a98714f',1795165317000819,'submitted','');
INSERT INTO generation_events VALUES(14,'521b55ada98948e59645f8997a98714f',1795165319000833,'processing','');
INSERT INTO generation_events VALUES(15,'521b55ada98948e59645f8997a98714f',1795165321000847,'succeeded','');
INSERT INTO generation_events VALUES(16,'13d38b6347e34c09b70c349f6dcb6633',1795165328000896,'intended','');
INSERT INTO generation_events VALUES(17,'13d38b6347e34c09b70c349f6dcb6633',1795165331000917,'intended','{"text_id":"note.sending","facts":{}}');
INSERT INTO generation_events VALUES(18,'13d38b6347e34c09b70c349f6dcb6633',1795165333000931,'submitted','');
INSERT INTO generation_events VALUES(19,'13d38b6347e34c09b70c349f6dcb6633',1795165335000945,'processing','');
INSERT INTO generation_events VALUES(20,'13d38b6347e34c09b70c349f6dcb6633',1795165337000959,'succeeded','');
INSERT INTO generation_events VALUES(21,'13d38b6347e34c09b70c349f6dcb6633',1795165346001022,'archived','');
INSERT INTO generation_events VALUES(22,'a71cb47059204c65b7ef2db5b2ecaa17',1795165349001043,'intended','');
INSERT INTO generation_events VALUES(23,'a71cb47059204c65b7ef2db5b2ecaa17',1795165352001064,'submitted','');
INSERT INTO generation_events VALUES(24,'a71cb47059204c65b7ef2db5b2ecaa17',1795165354001078,'failed','');
INSERT INTO generation_events VALUES(25,'2a4abf0bc32d41c6b8fc1b9f9c323459',1795165355001085,'intended','');
INSERT INTO generation_events VALUES(26,'2a4abf0bc32d41c6b8fc1b9f9c323459',1795165358001106,'intended','{"text_id":"note.sending","facts":{}}');
INSERT INTO generation_events VALUES(27,'2a4abf0bc32d41c6b8fc1b9f9c323459',1795165360001120,'refused','{"text_id":"note.perhaps_there","facts":{"code":1201}}');
INSERT INTO generation_events VALUES(28,'dc19c734aede4aaa96aa305ba40f8266',1795165361001127,'intended','');
INSERT INTO generation_events VALUES(29,'dc19c734aede4aaa96aa305ba40f8266',1795165363001141,'cancelled','');
INSERT INTO generation_events VALUES(30,'edc282116850460bad84f22be1b2a2ac',1795165365001155,'intended','');
INSERT INTO generation_events VALUES(31,'edc282116850460bad84f22be1b2a2ac',1795165367001169,'cancelled','');
INSERT INTO generation_events VALUES(32,'3ad8132f0e2347c3a5464623b5847c5c',1795165373001211,'succeeded','');
INSERT INTO generation_events VALUES(33,'e88edd5050424947984dbd487b982ff1',1795165374001218,'intended','');
CREATE TABLE picture_slots (
    generation_id TEXT NOT NULL REFERENCES generations (id) ON DELETE CASCADE,
    "index" INTEGER NOT NULL, status TEXT NOT NULL, attempts INTEGER NOT NULL,
    error_text_id TEXT, updated_at BIGINT NOT NULL, PRIMARY KEY (generation_id, "index")
);
INSERT INTO picture_slots VALUES('521b55ada98948e59645f8997a98714f',0,'archived',0,NULL,1795165324000868);
INSERT INTO picture_slots VALUES('521b55ada98948e59645f8997a98714f',1,'pending',1,'error.picture_download',1795165325000875);
INSERT INTO picture_slots VALUES('13d38b6347e34c09b70c349f6dcb6633',0,'archived',0,NULL,1795165341000987);
INSERT INTO picture_slots VALUES('13d38b6347e34c09b70c349f6dcb6633',1,'archived',0,NULL,1795165342000994);
INSERT INTO picture_slots VALUES('13d38b6347e34c09b70c349f6dcb6633',2,'deleted',0,NULL,1795165348001036);
CREATE TABLE pictures (
    id TEXT PRIMARY KEY, generation_id TEXT NOT NULL REFERENCES generations (id) ON DELETE CASCADE,
    "index" INTEGER NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL, media_type TEXT NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL, size_bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL, created_at BIGINT NOT NULL, favourite BOOLEAN NOT NULL,
    deleted_at BIGINT
);
INSERT INTO pictures VALUES('9e450909a8d14dea9ddfc65e144b2080','521b55ada98948e59645f8997a98714f',0,'local','2026/half-0.png','image/png',1024,768,345678,'0000000000000000000000000000000000000000000000000000000000000000',1795165315000805,0,NULL);
INSERT INTO pictures VALUES('1e527ff9160e47a489f1c7e23916e1df','13d38b6347e34c09b70c349f6dcb6633',0,'local','2026/猫-0.png','image/png',1024,768,345678,'0000000000000000000000000000000000000000000000000000000000000000',1795165328000896,1,NULL);
INSERT INTO pictures VALUES('c51ae08b37274581be57821b6396e022','13d38b6347e34c09b70c349f6dcb6633',1,'local','2026/猫-1.png','image/png',1024,768,345678,'1111111111111111111111111111111111111111111111111111111111111111',1795165328000896,0,1795165347001029);
CREATE TABLE key_values (key TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO key_values VALUES('kling.slots','{"learned":5,"\u8bf4\u660e":[1.5,null,true]}');
CREATE TABLE unindexed_messages (seq INTEGER PRIMARY KEY);
INSERT INTO unindexed_messages VALUES(23);
INSERT INTO unindexed_messages VALUES(24);
CREATE TABLE message_blobs (
    message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    sha256 TEXT NOT NULL REFERENCES blobs (sha256), PRIMARY KEY (message_id, sha256)
);
INSERT INTO message_blobs VALUES('bafe9bd120c541529127c47089bf36a2','e0ffccf95b9a5d1cb5ef331123fca3e99a6131403ddb82b60d22e840a1f07281');
CREATE TABLE ledger_lines (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, at BIGINT NOT NULL, kind TEXT NOT NULL,
    state TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, owner TEXT NOT NULL,
    caller TEXT NOT NULL, origin TEXT NOT NULL, currency TEXT NOT NULL,
    amount BIGINT, low BIGINT, bound BIGINT, mark TEXT NOT NULL, price_id TEXT, hour TEXT,
    hit BIGINT, miss BIGINT, completion BIGINT, reasoning BIGINT, units TEXT, pieces INTEGER,
    conversation_id TEXT, message_id TEXT, generation_id TEXT, task_id TEXT,
    settled_at BIGINT, until BIGINT
);
INSERT INTO ledger_lines VALUES(1,'line-0',1795165375001225,'chat','reserved','deepseek','deepseek-flash','local','page','page','CNY',250000000000,NULL,500000000000,'≤',NULL,NULL,1,2,3,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO ledger_lines VALUES(2,'line-1',1795165376001232,'chat','computed','deepseek','deepseek-flash','user:ада@例子.example','page','page','CNY',250000000000,NULL,500000000000,'≈',NULL,NULL,1,2,3,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE budget_totals (key TEXT PRIMARY KEY, spent BIGINT NOT NULL);
INSERT INTO budget_totals VALUES('Asia/Shanghai|2026-11-20|CNY|studio|',500000000000);
INSERT INTO budget_totals VALUES('Asia/Shanghai|2026-11|CNY|studio|',500000000000);
INSERT INTO budget_totals VALUES('Asia/Shanghai|2026-11-20|CNY|user|ада@例子.example',250000000000);
INSERT INTO budget_totals VALUES('Asia/Shanghai|2026-11|CNY|user|ада@例子.example',250000000000);
CREATE TABLE message_index_texts (
        seq INTEGER PRIMARY KEY, content TEXT NOT NULL, reasoning_content TEXT NOT NULL
    );
INSERT INTO message_index_texts VALUES(1,replace('写一首詩 🌸 — «стихи», قصيدة, कविता\n\n','\n',char(10)),'');
INSERT INTO message_index_texts VALUES(2,replace('春眠不覺晓,\n处处聞啼鳥。\n\n','\n',char(10)),replace('想一想:五言絕句。\n\n','\n',char(10)));
INSERT INTO message_index_texts VALUES(3,replace('停在这哩...\n\n','\n',char(10)),'');
INSERT INTO message_index_texts VALUES(4,'','');
INSERT INTO message_index_texts VALUES(5,replace('再來一首\n\n','\n',char(10)),'');
INSERT INTO message_index_texts VALUES(6,replace('白日依山侭,\n\n','\n',char(10)),'');
INSERT INTO message_index_texts VALUES(7,replace('👩👩👧👦 e ﷽ rtl\n\n','\n',char(10)),'');
INSERT INTO message_index_texts VALUES(8,replace('```py\nprint(''1⁄2'')\n```\n\n','\n',char(10)),'');
INSERT INTO message_index_texts VALUES(9,replace('改过的問題\n\n','\n',char(10)),'');
INSERT INTO message_index_texts VALUES(10,replace('改过的回答\n\n','\n',char(10)),'');
INSERT INTO message_index_texts VALUES(11,replace('要删的\n\n','\n',char(10)),'');
INSERT INTO message_index_texts VALUES(12,replace('删掉\n\n','\n',char(10)),'');
INSERT INTO message_index_texts VALUES(13,replace('?\n\n','\n',char(10)),'');
INSERT INTO message_index_texts VALUES(14,'','');
INSERT INTO message_index_texts VALUES(15,replace('写到哪哩了?\n\n','\n',char(10)),'');
INSERT INTO message_index_texts VALUES(17,replace('这些是什么?\nты знаешь?\n\n','\n',char(10)),'');
INSERT INTO message_index_texts VALUES(18,replace('我查查。\n\n','\n',char(10)),replace('查\n\n','\n',char(10)));
INSERT INTO message_index_texts VALUES(19,'','');
INSERT INTO message_index_texts VALUES(20,replace('一只猫。\n\n','\n',char(10)),'');
INSERT INTO message_index_texts VALUES(21,replace('还能恢复吗\n\n','\n',char(10)),'');
INSERT INTO message_index_texts VALUES(22,replace('能\n\n','\n',char(10)),'');
PRAGMA writable_schema=ON;
INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql)VALUES('table','message_index','message_index',0,'CREATE VIRTUAL TABLE message_index USING fts5(
        content, reasoning_content, content=''message_index_texts'', content_rowid=''seq'',
        tokenize=''trigram''
    )');
CREATE TABLE IF NOT EXISTS 'message_index_data'(id INTEGER PRIMARY KEY, block BLOB);
INSERT INTO message_index_data VALUES(1,X'1581130a');
INSERT INTO message_index_data VALUES(10,X'0000000002031200031101010101010201010000');
INSERT INTO message_index_data VALUES(137438953473,X'000000420630e590970a0a1502060206a48de590970a1502050109e681a2e5a48de590971502040109e883bde681a2e5a48d1502030208bf98e883bde681a2150202040a0b0e0e');
INSERT INTO message_index_data VALUES(274877906945,X'0000000e0630e883bd0a0a16020204');
INSERT INTO message_index_data VALUES(2336462209025,X'000005c304300a6060080214020270720802070204d182d18b1102080206e5a484e5a48402020801032065200702060202727407020a0204c2abd18101020a0204d0b7d0bd11020b0204d982d8b50102130206e0a495e0a4b501021a0204e28094200102080204efb7bd200702080205f09f8cb820010206010327290a080212020431e2818408020e010328273108020d0103290a6008021301032c0a0a0602070303e5a484020207020320d9820102120303e0a49501021901032e0a0a03020802022e0a03020703012e030206010531e281843208020f010332272908021101073ae4ba94e8a880020601010501033f0a0a0d02020202070202120302d1821102070103600a0a0802170202600a080216030160080402150301700802030202707908020401056520efb7bd0702070103696e7408020a01036c0a0a07020d01036e742808020b01037072690802080202790a080205010372696e0802090202746c07020b010374282708020c02026c0a07020c0103790a700802060106c2abd181d18201020b0203bb2c200102110106d0b0d0b5d18811020e0205b5d188d18c11020f0205b7d0bdd0b011020c0204b8c2bb2c0102100304d185d0b801020e0205bdd0b0d0b511020d0106d181d182d0b801020c020582d0b8d18501020d0303d18b20110209020585d0b8c2bb01020f020488d18c3f11021002048b20d0b711020a02038c3f0a1102110104d8a92c200102180204afd8a92c0102170205b5d98ad8af0102150106d982d8b5d98a01021402058ad8afd8a90102160109e0a495e0a4b5e0a4bf01021b0305a4e0a4be0a01021e0307b5e0a4bfe0a4a401021c0303be0a0a01021f0307bfe0a4a4e0a4be01021d0106e2809420c2ab0102090204818432270802100105e380820a0a02080e01010a1002050202050109e4b880e58faae78cab1402020404e683b33a02060101030404e9a6960a0502040703e8a9a901020303078de8a6bae699930202040204b9883f0a1102060204ba863f0a0f0206030794e8a880e7b595020601010603079be698afe4bb801102030206bb80e4b9883f1102050208be86e4b880e9a69605020303079de5b1b1e4bead0602040303ad2c0a0602060109e5819ce59ca8e8bf990302020208868de4be86e4b880050202030799e4b880e9a6960102020406e588b0e593aa0f0202020688a0e68e890a0c02020404e79a840a0b02030307b0e593aae593a90f020302068fa5e380820a02060101090307aae78cabe38082140203020493a92e2e0302050404e4ba863f0f02050307aae593a9e4ba860f02040206958fe9a18c0a0902050307bce9b3a5e3808202020c02069b9ee7ad940a0a020502089ca8e8bf99e593a90302030208a484e5a484e8819e0202090406e8819ee595bc02020a0206b1b1e4bead2c0602050107e683b33ae4ba9402060101040406e4b880e683b3020601010202088891e69fa5e69fa512020202048e890a0a0c0203020894b9e8bf87e79a84090202010202020897a5e4be9de5b1b1060203020898a5e79ca0e4b88d0202020307afe4bb80e4b988110204020499932c0a02020602049fa50a0a12060101020404e380820a1202040406e69fa5e380821202030107e78cabe380820a140204020899bde697a5e4be9d06020202049a840a0a0b02040406e5958fe9a18c09020405059b9ee7ad940a020402089ca0e4b88de8a6ba0202030204ad940a0a0a02060208b595e58fa5e3808202060101080109e8819ee595bce9b3a502020b0208a681e588a0e79a840b02020305bae699932c0202050208a880e7b595e58fa502060101070207a9a920f09f8cb80102050208bf87e79a84e5958f09020308029b9e0a0203030799e4ba9be698af1102020404e593a92e0302040105e9a18c0a0a0902060204a6960a0a0502050404e8a9a9200102040206b3a5e380820a02020d0105efb7bd20720702090108f09f8cb820e28094010207030491a620650702050406a7f09f91a6200702040409a9f09f91a7f09f91a60702030805a9f09f91a7070202040807090b08070909090b09090a08090808080808080807060a080e0e0708070706070a080808080708070807080b080b0a0a09090a0b0a080a09090809090a0b0a0e0a0c080c0b09130e0b09080c09090e0c0b0d0c080e0d0c0b0b090c0d0c09090c0b0c0b0d0d0b0b0e0d0d09100d0d0c090b090b0c0d090b0a0d090f0e0d0a0f0c0d070c090a09090b0a0d090b0e');
CREATE TABLE IF NOT EXISTS 'message_index_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID;
INSERT INTO message_index_idx VALUES(1,X'',2);
INSERT INTO message_index_idx VALUES(2,X'',2);
INSERT INTO message_index_idx VALUES(17,X'',2);
CREATE TABLE IF NOT EXISTS 'message_index_docsize'(id INTEGER PRIMARY KEY, sz BLOB);
INSERT INTO message_index_docsize VALUES(1,X'1e00');
INSERT INTO message_index_docsize VALUES(2,X'0d09');
INSERT INTO message_index_docsize VALUES(3,X'0700');
INSERT INTO message_index_docsize VALUES(4,X'0000');
INSERT INTO message_index_docsize VALUES(5,X'0400');
INSERT INTO message_index_docsize VALUES(6,X'0600');
INSERT INTO message_index_docsize VALUES(7,X'0c00');
INSERT INTO message_index_docsize VALUES(8,X'1600');
INSERT INTO message_index_docsize VALUES(9,X'0500');
INSERT INTO message_index_docsize VALUES(10,X'0500');
INSERT INTO message_index_docsize VALUES(11,X'0300');
INSERT INTO message_index_docsize VALUES(12,X'0200');
INSERT INTO message_index_docsize VALUES(13,X'0100');
INSERT INTO message_index_docsize VALUES(14,X'0000');
INSERT INTO message_index_docsize VALUES(15,X'0600');
INSERT INTO message_index_docsize VALUES(17,X'1100');
INSERT INTO message_index_docsize VALUES(18,X'0401');
INSERT INTO message_index_docsize VALUES(19,X'0000');
INSERT INTO message_index_docsize VALUES(20,X'0400');
INSERT INTO message_index_docsize VALUES(21,X'0500');
INSERT INTO message_index_docsize VALUES(22,X'0100');
CREATE TABLE IF NOT EXISTS 'message_index_config'(k PRIMARY KEY, v) WITHOUT ROWID;
INSERT INTO message_index_config VALUES('version',4);
INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql)VALUES('table','message_index_terms','message_index_terms',0,'CREATE VIRTUAL TABLE message_index_terms USING fts5vocab(''message_index'', ''instance'')');
CREATE TABLE generation_references (
    generation_id TEXT NOT NULL REFERENCES generations (id) ON DELETE CASCADE,
    place INTEGER NOT NULL, sha256 TEXT NOT NULL REFERENCES blobs (sha256),
    PRIMARY KEY (generation_id, place)
);
INSERT INTO generation_references VALUES('13d38b6347e34c09b70c349f6dcb6633',1,'db50a824abfdd116bd798e774ef13b788aaa02bcee4170ed45f827e1801d031e');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('messages',24);
INSERT INTO sqlite_sequence VALUES('generation_events',33);
INSERT INTO sqlite_sequence VALUES('ledger_lines',2);
CREATE INDEX conversations_shown ON conversations (owner, pinned, updated_at, id)
    WHERE deleted_at IS NULL;
CREATE INDEX conversations_deleted ON conversations (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX messages_tree ON messages (conversation_id, parent_id, seq);
CREATE INDEX messages_parent ON messages (parent_id);
CREATE UNIQUE INDEX messages_running ON messages (conversation_id) WHERE status = 'running'
;
CREATE UNIQUE INDEX generations_external_task_id ON generations (external_task_id);
CREATE UNIQUE INDEX generations_idempotency_key ON generations (owner, idempotency_key);
CREATE UNIQUE INDEX generations_task_id ON generations (provider, task_id);
CREATE INDEX generations_shown ON generations (owner, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX generations_reference ON generations (reference_sha256);
CREATE INDEX generation_events_of ON generation_events (generation_id, seq);
CREATE UNIQUE INDEX pictures_of ON pictures (generation_id, "index");
CREATE UNIQUE INDEX pictures_name ON pictures (name);
CREATE INDEX pictures_shown ON pictures (owner, created_at DESC, generation_id DESC, "index")
    WHERE deleted_at IS NULL;
CREATE INDEX pictures_deleted ON pictures (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE TRIGGER message_index_added AFTER INSERT ON messages WHEN new.status <> 'running' BEGIN
        INSERT INTO unindexed_messages (seq) VALUES (new.seq);
    END;
CREATE TRIGGER message_index_ended AFTER UPDATE OF status ON messages
    WHEN old.status = 'running' AND new.status <> 'running' BEGIN
        INSERT INTO unindexed_messages (seq) VALUES (new.seq);
    END;
CREATE INDEX message_blobs_of ON message_blobs (sha256)
;
CREATE INDEX generations_finished
    ON generations (provider, kind, model_name, resolution, n, finished_at);
CREATE INDEX generations_open ON generations (provider, next_check_at, created_at)
    WHERE status NOT IN ('archived', 'cancelled', 'failed', 'refused');
CREATE INDEX ledger_lines_at ON ledger_lines (at, seq);
CREATE INDEX ledger_lines_owner ON ledger_lines (owner, at, seq);
CREATE INDEX ledger_lines_caller ON ledger_lines (caller, at, seq);
CREATE INDEX ledger_lines_conversation ON ledger_lines (conversation_id)
    WHERE conversation_id IS NOT NULL;
CREATE INDEX ledger_lines_task ON ledger_lines (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX ledger_lines_reserved ON ledger_lines (at) WHERE state = 'reserved';
CREATE TRIGGER message_index_removed AFTER DELETE ON messages
    WHEN old.status <> 'running' BEGIN
        INSERT INTO message_index (message_index, rowid, content, reasoning_content)
        SELECT 'delete', seq, content, reasoning_content FROM message_index_texts
        WHERE seq = old.seq;
        DELETE FROM message_index_texts WHERE seq = old.seq;
        DELETE FROM unindexed_messages WHERE seq = old.seq;
    END;
CREATE INDEX messages_newest ON messages (created_at, id, conversation_id) WHERE status <> 'running';
CREATE INDEX generation_references_of ON generation_references (sha256)
;
PRAGMA writable_schema=OFF;
COMMIT;
