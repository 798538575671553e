package service

// Waiting is how many acquires wait for a job.
func (s *Service) Waiting() int {
	_, n := s.waiting.asked()
	return n
}
